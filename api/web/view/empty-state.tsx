import type { ProfilesState } from "../model/profiles.ts";
import type { SessionState } from "../model/session-state.ts";
import { WingMark } from "./icons.tsx";
import { ProfilePicker } from "./profile-picker.tsx";

/** The demo model has an answer worth seeing to each; every other model understands them, too. */
const EXAMPLES: readonly { readonly title: string; readonly prompt: string }[] = [
  { title: "Watch it stream", prompt: "Give me a long answer about messengers with winged sandals." },
  { title: "See it think", prompt: "Think about why leaves change colour in autumn." },
  { title: "Use a tool", prompt: "List the files of the workspace." },
  { title: "Rich text", prompt: "Show me code and a table." },
];

export const EmptyState = (props: {
  readonly session: SessionState | null;
  readonly profiles: ProfilesState;
  readonly onPrompt: (text: string) => void;
}) => (
  <div className="empty">
    <WingMark />
    <h2>What shall we work on?</h2>
    <p>A message becomes a durable run: close the page, lose the network, come back. The answer is whole.</p>
    <ProfilePicker session={props.session} profiles={props.profiles} />
    <ul className="examples">
      {EXAMPLES.map(({ title, prompt }) => (
        <li key={title}>
          <button className="example" type="button" onClick={() => props.onPrompt(prompt)}>
            <strong>{title}</strong>
            <span>{prompt}</span>
          </button>
        </li>
      ))}
    </ul>
  </div>
);
