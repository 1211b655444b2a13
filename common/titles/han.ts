/**
 * How many characters say that Han text is Chinese: those that no Japanese character set has (simplified forms, 你, 们, 吗 …), or
 * that in Japanese were replaced by simpler ones (這, 個, 會 …). Plain words both languages share give 0.
 */
export const chineseMarks = (text: string): number =>
  [...text.matchAll(/\p{Script=Han}/gu)].filter(([char]) => !japanese().has(char) || REPLACED.has(char))
    .length + (text.match(CHINESE_WORDS)?.length ?? 0);

/** Characters that both languages have, and that only one puts together. */
const CHINESE_WORDS = /推荐|旅游|旅遊|教程|景点|以及|可以|什么|怎么|怎樣|怎样|哪里|我的|你的/g;

/** Old forms that modern Japanese does not write, names aside; in Chinese as written in Taiwan and Hong Kong they are common. */
const REPLACED = new Set(
  "這個麼會來對發經關點實圖專與為國學體說沒還從應當數據處讀寫變區單號員絕總戰勞證區歡觀權轉錢傳檔歸樓鐵驗圍廣灣",
);

let known: ReadonlySet<string> | null = null;

/** The kanji of JIS X 0208, taken from the platform's own decoder. */
const japanese = (): ReadonlySet<string> => {
  known ??= decoded();
  return known;
};

const decoded = (): ReadonlySet<string> => {
  const decoder = new TextDecoder("shift_jis");
  const found = new Set<string>();
  for (let lead = 0x88; lead <= 0xfc; lead++) {
    if (lead >= 0xa0 && lead < 0xe0) continue;
    for (let trail = 0x40; trail <= 0xfc; trail++) found.add(decoder.decode(new Uint8Array([lead, trail])));
  }
  return found;
};
