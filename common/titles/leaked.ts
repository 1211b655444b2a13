import { readText } from "./prose.ts";

/** True when a candidate begins as models do that think aloud or reply; not when it begins with the user's own words. */
export const isLeaked = (candidate: string, userText: string): boolean => {
  if (!LEAKS.some((leak) => leak.test(candidate))) return false;
  // What the user's own words begin with was quoted, not thought.
  const opening = fold(candidate).split(" ").slice(0, 4).join(" ");
  return !fold(readText(userText)).includes(opening);
};

const fold = (text: string): string => text.toLowerCase().replace(/\s+/g, " ");

/** A subject and what it does: "The user guide", "Let's Encrypt renewal" and "I Ching explained" are titles (B-10). */
const opens = (subject: string, follows: string): RegExp =>
  new RegExp(`^(?:${subject})(?:${follows.trim().split(/\s+/).join("|")})(?![\\p{L}\\p{N}])`, "iu");

/** How models begin to think aloud or to reply. */
const LEAKS: readonly RegExp[] = [
  opens(
    "(?:the|this) (?:user|human|person|assistant) ",
    `is was has had wants? wanted asks? asked needs? seems? said says wrote writes would just simply requests requested provided
    sent greets?`,
  ),
  opens("the (?:user|human|person)['’]s ", "message question request asking query prompt"),
  opens(
    "(?:i|we) (?:need|have|should|must|want|will|can|could|think|am|are|was|would)(?: to)? ",
    `generate create come write provide find give produce make summari[sz]e craft think title name output respond answer determine
    figure consider look analy[sz]e asked reply choose pick`,
  ),
  opens(
    "(?:i|we)['’](?:ll|m|ve|re|d) ",
    "need have going asked been try start generate create give write think sorry happy",
  ),
  opens(
    "(?:let me|let['’]?s|let us) ",
    `think see analy[sz]e look consider break craft figure generate create come start try summari[sz]e check read first
    re-?read find determine identify`,
  ),
  opens(
    "(?:the|this|that) (?:conversation|exchange|chat|discussion|dialogue|message|request|question) ",
    "is was seems appears concerns involves revolves cent(?:er|re)s starts begins covers could",
  ),
  opens(
    "(?:based on|looking at|given|considering|judging (?:by|from)|according to) (?:the|this|that|these) ",
    "conversation exchange chat messages? user text context discussion information instructions",
  ),
  opens("(?:first|now),? ", "i we let"),
  opens("thinking ", "process"),
  opens("(?:a|the) (?:good|suitable|fitting|possible|concise|appropriate|best|short) ", "title"),
  opens("(?:i['’]m|i am) ", "sorry unable not an"),
  opens("(?:i )?can(?:no|['’])t ", "help assist provide generate"),
  opens("as an ", "ai"),
  /^here(?:['’]s| is| are) (?:a|an|the|your|my|some|one)\b.*\b(?:titles?|suggestions?|options?|summary)\b/i,
  /^(?:okay|ok|alright|all right|hmm+|well|so|sure|certainly|of course|great|got it|understood)(?:[,.!:…—–]| - )\s?\S/i,
  opens(
    "(?:der|die) (?:nutzer|benutzer|user|anwender)(?:in)? ",
    "möchte will fragt bittet hat ist braucht schreibt sagt",
  ),
  opens("l['’]utilisat(?:eur|rice) ", "demande veut souhaite a est cherche dit écrit"),
  opens("(?:el usuario|la usuaria) ", "pide quiere pregunta ha está necesita dice escribe solicita"),
  opens(
    "(?:o usuário|a usuária|o utilizador) ",
    "pede quer pergunta está precisa diz escreveu solicita solicitou",
  ),
  opens("l['’]utente ", "chiede vuole ha sta desidera dice scrive"),
  opens("de gebruiker ", "wil vraagt heeft is zegt schrijft"),
  opens(
    "(?:пользователь|користувач) ",
    "хочет просит спрашивает спросил задал задаёт написал хоче просить питає запитує написав",
  ),
  /^(?:用户|使用者|用戶)(?:想|要求|询问|詢問|问|問|希望|需要|请求|請求|说|說|在)/,
  /^(?:好的|嗯|当然|當然|首先|让我|讓我)[，,。、：:]/,
  /^ユーザー(?:は|が|の(?:質問|要求|メッセージ))/,
  /^(?:はい|わかりました|承知しました|了解です)[、。]/,
  /^사용자(?:가|는|의 (?:질문|요청))/,
];
