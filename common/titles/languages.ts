/** What tells a language that is written in Latin letters from the others. Common words of titles are left to no language. */
interface Language {
  /** Words without which hardly a sentence is made. */
  readonly words: string;
  /** Of these, what is a name elsewhere or stands in names: "Internet of Things", "Jest", "Pro", "Top Ten", "Big Sur". */
  readonly inNames?: string;
  /** More words that say nothing about a topic: greetings, courtesy, asking. */
  readonly fillers: string;
  /** Letters that few others have. */
  readonly letters: RegExp;
  /** Endings that speak for it. */
  readonly endings: RegExp;
}

export const LANGUAGES = {
  en: {
    words: `
      the and of to for with is are was were be been this that these those it its you your my me we our they their not from
      have has had do does did how what why when where which who can could should would will there here into about than then
      because if but or as at by an i i'm don't doesn't can't isn't it's`,
    inNames: "who here of for and to at by as or an i me we it is do can will about from over",
    fillers: `
      please help hello hey thanks thank want need wants needs like would tell give let's just some any now also very really
      get make dear good morning am use using used so on in all out up no yes okay us him her his she he them`,
    letters: /(?!)/u,
    endings: /(?:ing|ly|ness|'s|’s)$/u,
  },
  de: {
    words: `
      der die das den dem des ein eine einen einem einer eines und oder aber nicht ist sind war waren wird werden wurde ich du
      er sie wir ihr mir mich dir dich uns mein meine meinen meiner dein deine für mit auf aus bei nach von vor zu zum zur
      über unter durch ohne gegen wie was warum wann wo welche welcher welches wenn weil dass auch nur noch schon sehr kann
      kannst können soll muss hat habe haben im am vom beim kein keine seit bis bitte`,
    inNames: "mit dir mir aus über zu ein bis die das der den war was im am des hat er du ist vor von wo",
    fillers: `
      hallo danke guten tag morgen möchte würde könntest könnten mal gerne brauche hilf hilfe mach mache gib es so in an man
      sich dann da hier jetzt etwas einfach alle alles mehr zeig erkläre erklär erkläre wäre bin bist sei mir's`,
    letters: /ß/u,
    endings: /(?:ung|ungen|keit|keiten|heit|schaft|lich|liche|isch|ische|ieren|chen|fehler|lagen|stellen)$/u,
  },
  fr: {
    words: `
      le la les un une des du de et ou mais pas est sont était je tu il elle nous vous ils elles mon ma mes ton ta tes son sa
      ses notre votre pour avec dans sur sous chez par sans comment pourquoi quand où quel quelle quels quelles que qui quoi
      ce cette ces cet au aux plus très peux peut pouvez faire être avoir ai as avez ont ne merci moi`,
    inNames:
      "sur est elle chez il mon moi une des le la les de du des un on son ton par sans sous plus sa ma mes tes pas as ai au que qui",
    fillers: `
      bonjour salut svp plaît plait s'il veux voudrais aimerais aide aidez aider fais donne besoin en y se me te lui leur tout
      tous toute cela ça donc alors comme encore si`,
    letters: /[œæ]/u,
    endings: /(?:ment|ments|eur|eurs|euse|aux|ière|ières|tions?|ité|ités|age|ées?|és)$/u,
  },
  es: {
    words: `
      el la los las un una unos unas y o pero no es son era soy estoy está están yo tú él ella nosotros ustedes mi mis tu tus
      su sus para con en por sin sobre entre cómo como qué que cuál cuándo dónde quién porque este esta estos estas ese esa
      del al de más muy puedo puede puedes hay hacer tengo tiene quiero necesito desde hasta me te se lo le`,
    inNames:
      "con era ella hay tu sus una en el la los las de del no me son es sin entre un y a te se lo le como que mis mi su al por",
    fillers: `
      hola gracias favor quisiera podrías ayuda ayúdame ayudar dame haz buenas buenos días tardes ya también todo todos si sí`,
    letters: /[ñ¿¡]/u,
    endings: /(?:ción|ciones|sión|dad|dades|ando|iendo|mente|miento)$/u,
  },
  pt: {
    words: `
      o a os as um uma uns umas e ou mas não é são era estou está estão eu você ele ela nós vocês meu minha meus minhas seu
      sua seus para com em por sem sobre entre como que qual quando onde quem porque este esta esse essa isso do da dos das no
      na nos nas ao à pelo pela mais muito posso pode há fazer tenho tem quero preciso de uma`,
    inNames:
      "sem eu em um era mas ou ela seu o a os as do da dos das no na e de com por sem me como que entre",
    fillers: `
      olá oi obrigado obrigada favor gostaria poderia ajuda ajude ajudar me dê faça bom boa dia tarde já também todo todos se
      sim lhe`,
    letters: /[ãõ]/u,
    endings: /(?:ção|ções|são|dade|dades|mente|ando|endo|mento)$/u,
  },
  it: {
    words: `
      il lo la i gli le un uno una e o ma non è sono era io tu lui lei noi voi mio mia miei mie tuo tua suo sua per con su tra
      fra di da in come che cosa quale quando dove chi perché questo questa questi quello quella del della dei delle degli
      dello nel nella nei sul sulla al alla più molto posso può c'è fare ho ha hai voglio devo`,
    inNames:
      "sono sul dove cosa mio la il le i e di da in su per con un al del come che tu lui lei noi non era ma fare ha ho o lo",
    fillers: `
      ciao salve grazie favore vorrei potresti puoi aiuto aiutami aiutare dammi fammi buongiorno mi ti si ci vi anche tutto
      tutti sì se`,
    letters: /(?!)/u,
    endings: /(?:zione|zioni|mente|mento|ità|ando|endo|ggio)$/u,
  },
  nl: {
    words: `
      de het een en of maar niet is zijn was waren ik jij je hij zij ze wij we jullie mijn jouw uw voor met op uit bij naar
      van over onder door zonder tegen hoe wat waarom wanneer waar welke wie als omdat dat dit deze die ook nog al heel kan
      kunt kunnen moet heeft heb hebben geen wordt worden mij`,
    inNames: "van met op hoe wie als kan de het en of is was over me we van die dat door al op as",
    fillers: `
      hallo dank bedankt alsjeblieft alstublieft graag wil zou help hulp maak geef goedemorgen te in er om dan nu even iets
      hier`,
    letters: /(?!)/u,
    endings: /(?:heid|heden|lijk|lijke|isatie|ingen|atie|ties)$/u,
  },
  nordic: {
    words: `
      och att det som är på för med inte jag du han hon vi ni min mitt mina din ditt hur vad varför när var vilken om av till
      från ett og ikke jeg av å er hvordan hva hvad hvorfor når hvor hvilken til fra kan skal skall ska har hade havde en den
      de der på mig meg sig seg vill vil`,
    inNames: "med till att har kan din ditt mig en den de er vi min de som du han av om var til fra der vil",
    fillers: `
      hej hei hallo tack takk tak snälla vennligst venligst gärna gjerne hjälp hjelp hjælp behöver trenger gör gjør lav gi ge
      kunne skulle så`,
    letters: /[å]/u,
    endings: /(?:ning|ningar|ninger|het|heter|lig|liga|lige|else|elser|isk|iska|tion|sjon)$/u,
  },
  pl: {
    words: `
      i w z na do nie jest są był była to ten ta te tego tej że jak co dlaczego kiedy gdzie kto który która które dla od po
      przez przy bez pod nad ze się mi mnie mój moja moje twój czy ale lub oraz aby żeby jestem mam ma można chcę mogę muszę
      proszę`,
    inNames: "jest ten ale nad mam i w z na do to ta te mi ma co po od pod",
    fillers: `
      cześć witam dzień dobry dziękuję dzięki chciałbym chciałabym potrzebuję pomóż pomocy pomoc zrób daj już też tylko bardzo`,
    letters: /[łąęśźżć]/u,
    endings: /(?:ość|ości|anie|enie|ania|enia|acja|acji|ów|ych|ego)$/u,
  },
  cs: {
    words: `
      a v z na do není je jsou byl byla to ten ta že jak co proč kdy kde kdo který která které pro od po při bez pod nad se si
      mi mě můj moje tvůj ale nebo aby jsem mám má lze chci mohu můžu musím prosím jako s k ve ze sa nie som ako čo prečo kde
      ktorý`,
    inNames: "pro ten ale by a v z na do to ta je se si mi ma co po od pod s k",
    fillers: `
      ahoj dobrý den děkuji díky ďakujem prosim chtěl chtěla potřebuji potrebujem pomoz pomoct pomoc udělej dej už také jen
      velmi`,
    letters: /[řěůťďň]/u,
    endings: /(?:ost|osti|ání|ení|ování|ých|ého|ace|ací)$/u,
  },
  tr: {
    words: `
      ve bir bu şu için ile değil var yok mı mi mu mü ben sen biz siz benim senin bizim nasıl ne neden niçin nerede hangi kim
      ama veya çünkü daha çok gibi kadar sonra önce olarak olan nedir eder misin mısın bana lütfen`,
    inNames: "ama biz daha ve bu ne mi mu ben sen var kim",
    fillers: `
      merhaba selam teşekkürler teşekkür istiyorum lazım yardım et eder yap ver günaydın da de ki her şey şimdi`,
    letters: /[ğış]/u,
    endings: /(?:lar|ler|ları|leri|mak|mek|ması|mesi|sı|nda|nde|dan|den|ların|lerin|leme|lama)$/u,
  },
  ro: {
    words: `
      și si un o în din la cu de pe nu este sunt era eu tu el ea noi voi meu mea mei tău pentru prin fără despre cum ce care
      când unde cine de ce că dar sau acest această acesta mai foarte pot poate vreau trebuie am ai are îmi mă`,
    inNames: "pot cum mai mea sau si un o la de pe nu el ea tu cu am ai are ce din noi era",
    fillers: "salut bună ziua mulțumesc rog te aș dori ajută ajutor fă dă se să iar tot toate",
    letters: /[țăș]/u,
    endings: /(?:ție|ții|ului|elor|ilor|are|ere|ează|ească)$/u,
  },
  hu: {
    words: `
      a az egy és vagy de nem van volt hogy mi miért mikor hol melyik ki én te ő mi ti az ez ezt azt nekem neked kell lehet
      meg is csak még már ha mert hogyan milyen vagyok szeretnék kérlek`,
    inNames: "volt kell mi ez a az is ha mi te ki de van meg",
    fillers: "szia helló köszönöm jó napot segíts segítség kellene tudnál tudsz írj adj nagyon tudok",
    letters: /[őű]/u,
    endings: /(?:ság|ség|ások|ések|ás|és|ban|ben|nak|nek|hoz|hez|ból|ből|sa|se)$/u,
  },
  fi: {
    words: `
      ja on ei että se ne tämä tuo minä sinä hän me te he minun sinun miten mikä mitä miksi milloin missä kuka joka mutta tai
      kun jos niin myös vain voi voin voiko pitää olla oli ovat olen kanssa ilman minulle`,
    inNames: "tai kun jos ja on me se ne te he oli",
    fillers: `
      hei moi kiitos ole hyvä haluan haluaisin tarvitsen auta apua tee anna nyt sitten hyvin paljon saan saada`,
    letters: /(?!)/u,
    endings: /(?:nen|ssa|ssä|sta|stä|minen|misen|seen|lla|llä|ksi|tus|tys|ten|jen)$/u,
  },
  id: {
    words: `
      yang dan di ke dari untuk dengan tidak adalah ini itu saya aku kamu anda kami kita mereka bagaimana apa mengapa kenapa
      kapan dimana siapa bisa akan sudah belum ada pada dalam atau tapi karena juga lebih cara tolong`,
    inNames: "dan apa cara kita aku saya di ini itu ada dan akan ke",
    fillers: `
      halo hai terima kasih mohon ingin mau butuh bantu bantuan buat buatkan beri selamat pagi ya nya`,
    letters: /(?!)/u,
    endings: /(?:kan|nya|asi)$/u,
  },
  vi: {
    words: `
      và của là các những một không có được cho với trong ngoài trên dưới từ đến tôi bạn anh chị em chúng này đó như thế nào
      gì tại sao khi nào đâu ai nhưng hoặc vì cũng đã đang sẽ rất hãy làm giúp hơn để`,
    inNames: "trong ai hay anh em cho sao khi",
    fillers: "xin chào cảm ơn vui lòng muốn cần giúp mình ạ nhé thì mà",
    letters: /[ơưđạảấầẩẫậắằẳẵặẹẻẽếềểễệịỉĩọỏốồổỗộớờởỡợụủũứừửữựỳỵỷỹ]/u,
    endings: /(?!)/u,
  },
} as const satisfies Record<string, Language>;

export type LanguageCode = keyof typeof LANGUAGES;

/** The words of a text in Latin letters as the tables have them: lower case, apostrophes kept and also split at. */
export const wordsOf = (text: string): readonly string[] =>
  (
    text
      .normalize("NFC")
      .toLowerCase()
      .match(/\p{L}[\p{L}\p{M}]*(?:['’]\p{L}+)*/gu) ?? []
  ).flatMap((word) => {
    const plain = word.replaceAll("’", "'");
    return plain.includes("'") ? [plain, ...plain.split("'")] : [plain];
  });
