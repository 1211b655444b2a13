/**
 * Directives script an answer: `key=value`, separated by commas, semicolons or spaces. They are merged from, in rising
 * priority: the server's defaults, the model name (`fake:tokens=200,rate=50`), the header `x-fake: tokens=200,rate=50`
 * and `[[fake tokens=200 rate=50]]` anywhere in the last user message.
 *
 *   tokens=N     tokens to answer with                                             (default 64)
 *   rate=R       tokens per second, on a fixed schedule; 0 = as fast as possible   (default 0)
 *   chunk=C      tokens per SSE chunk                                              (default 1)
 *   stamp=0|1    1: every token is "@<seq>:<us> <word> ", <us> being this machine's monotonic clock in microseconds, so
 *                that any process of the machine can tell a token's age. 0: byte-for-byte repeatable  (default 0)
 *   pad=N        pad every token with N more characters                            (default 0)
 *   seed=N       seed of the words                                                 (default 1)
 *   ttfb=MS      delay before the response headers;   ttft=MS  delay after them, before token 0
 *   reason=N     N tokens of `reasoning_content` before the answer                 (default 0)
 *   tool=NAME    ask for a call of NAME first, answer once its result is in the messages; `tool=1` takes the first name
 *                in the request's `tools`. args=<base64url of JSON> its arguments ({})
 *   rounds=N     tool rounds before the answer (1);   parallel=N  calls per round (1)
 *   pre=N        N text tokens before the tool call of each round                  (default 0)
 *   fail=CODE    answer HTTP CODE (429, 500, 503 …) with an OpenAI-style error body
 *   reject=P     answer HTTP 400 to a request with the parameter P (several: P+Q), naming it in `error.param`; unnamed=1: not
 *   cut=N        destroy the connection after N tokens
 *   errat=N      after N tokens send an error event in the stream, then end
 *   stall=N      after N tokens send nothing more, and keep the connection open
 *   finish=R     finish_reason of the answer                                       (default "stop")
 *   times=N      apply fail/cut/errat/stall to the first N requests with this `key` only; then behave
 *   key=K        what `times` counts by (default: all the directives together)
 *   after=S      with fail: send `Retry-After: S`
 */
export type Directives = Record<keyof typeof NUMBERS, number> & Record<keyof typeof TEXTS, string>;

const NUMBERS = {
  tokens: 64,
  rate: 0,
  chunk: 1,
  stamp: 0,
  pad: 0,
  seed: 1,
  ttfb: 0,
  ttft: 0,
  reason: 0,
  rounds: 1,
  parallel: 1,
  pre: 0,
  fail: 0,
  unnamed: 0,
  cut: -1,
  errat: -1,
  stall: -1,
  times: Number.POSITIVE_INFINITY,
};
const TEXTS = { tool: "", args: "", finish: "stop", key: "", after: "", reject: "" };

export const DEFAULT_DIRECTIVES: Readonly<Directives> = Object.freeze({ ...NUMBERS, ...TEXTS });

/** Sets one directive; false when there is none of that name. */
export const setDirective = (into: Directives, name: string, value: string): boolean => {
  if (Object.hasOwn(NUMBERS, name)) into[name as keyof typeof NUMBERS] = Number(value);
  else if (Object.hasOwn(TEXTS, name)) into[name as keyof typeof TEXTS] = value;
  else return false;
  return true;
};

/** Merges what `text` says; everything that is no directive is passed over. */
export const readDirectives = (into: Directives, text: string): void => {
  for (const part of text.split(/[,;\s]+/)) {
    const equals = part.indexOf("=");
    if (equals >= 1) setDirective(into, part.slice(0, equals), part.slice(equals + 1));
  }
};

/** The directive texts of one request, lowest priority first. */
export const directiveTexts = (
  model: string,
  header: string | undefined,
  lastUserText: string | undefined,
): readonly string[] => {
  const texts: string[] = [];
  const colon = model.indexOf(":");
  if (colon >= 0) texts.push(model.slice(colon + 1));
  if (header) texts.push(header);
  const inMessage = lastUserText?.match(/\[\[fake ([^\]]*)\]\]/)?.[1];
  if (inMessage !== undefined) texts.push(inMessage);
  return texts;
};
