/** What the model server reads of a Chat Completions request. Everything else is passed over. */
export interface ChatRequest {
  /** As sent, `null` when absent. */
  readonly model: string | null;
  readonly messages: readonly ChatRequestMessage[];
  readonly toolNames: readonly string[];
  readonly stream: boolean;
  readonly includeUsage: boolean;
  /** Names of what was sent beside the messages. */
  readonly parameters: readonly string[];
}

export interface ChatRequestMessage {
  readonly role: string;
  readonly text: string;
  readonly callsTools: boolean;
}

/** Reads a parsed request body of any shape; what is missing or of another type counts as absent. */
export const readChatRequest = (body: unknown): ChatRequest => {
  const messages = arrayOf(field(body, "messages"));
  const model = field(body, "model");
  return {
    model: model === undefined || model === null ? null : String(model),
    messages: messages.map((message) => ({
      role: String(field(message, "role") ?? ""),
      text: textOf(field(message, "content")),
      callsTools: arrayOf(field(message, "tool_calls")).length > 0,
    })),
    toolNames: arrayOf(field(body, "tools"))
      .map((tool) => field(field(tool, "function"), "name"))
      .filter((name) => typeof name === "string"),
    stream: Boolean(field(body, "stream")),
    includeUsage: Boolean(field(field(body, "stream_options"), "include_usage")),
    parameters: typeof body === "object" && body !== null ? Object.keys(body) : [],
  };
};

export const lastUserText = (request: ChatRequest): string | undefined =>
  request.messages.findLast((message) => message.role === "user")?.text;

/** Messages after the last one of the user: the steps of the turn that is being answered. */
export const turnMessages = (request: ChatRequest): readonly ChatRequestMessage[] =>
  request.messages.slice(request.messages.findLastIndex((message) => message.role === "user") + 1);

const field = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;

const arrayOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const textOf = (content: unknown): string => {
  if (typeof content === "string") return content;
  return arrayOf(content)
    .map((part) => (typeof part === "string" ? part : String(field(part, "text") ?? "")))
    .join("");
};
