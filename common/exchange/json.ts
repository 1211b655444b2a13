import { EXPORT_VERSION, MAX_MODEL, MAX_TIME, MAX_TITLE } from "../contracts/http.ts";
import type { Message } from "../contracts/message.ts";
import type { Session } from "../contracts/session.ts";

/**
 * One JSON document, a message per line, that `ImportBody` takes as it is. Titles, models and times of other programs may
 * lie outside of what an import allows; they are brought inside here, so that no export is refused later.
 */
export async function* exportJson(
  session: Session,
  messages: AsyncIterable<Message>,
  nowS: number,
): AsyncIterable<string> {
  const head = {
    ...session,
    title: atMost(session.title, MAX_TITLE),
    model: atMost(session.model, MAX_MODEL),
  };
  yield `{"talaria_export":${EXPORT_VERSION},"exported_at":${JSON.stringify(nowS)},\n` +
    `"session":${JSON.stringify(head)},\n"messages":[`;
  let separator = "\n";
  for await (const message of messages) {
    yield separator +
      JSON.stringify({ ...message, created_at: Math.min(Math.max(0, message.created_at), MAX_TIME) });
    separator = ",\n";
  }
  yield "\n]}\n";
}

const atMost = (text: string | null, chars: number): string | null =>
  text === null ? null : text.slice(0, chars).toWellFormed();
