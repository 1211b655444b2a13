import { WingMark } from "./icons.tsx";

/** What the demo model answers with something worth seeing; every other model understands them too. */
const EXAMPLES: readonly { readonly title: string; readonly prompt: string }[] = [
  { title: "Tell a story", prompt: "Tell me a story about a messenger with winged sandals." },
  { title: "Think it through", prompt: "Think step by step: why do leaves change colour?" },
  { title: "Use a tool", prompt: "List the files of the workspace." },
  { title: "Write code", prompt: "Show me a code example with a table of its parts." },
];

export const EmptyState = ({ onPrompt }: { readonly onPrompt: (text: string) => void }) => (
  <div className="empty">
    <WingMark />
    <h2>What shall we work on?</h2>
    <p>A message becomes a durable run: close the page, lose the network, come back. The answer is whole.</p>
    <ul className="examples">
      {EXAMPLES.map(({ title, prompt }) => (
        <li key={title}>
          <button className="example" type="button" onClick={() => onPrompt(prompt)}>
            <strong>{title}</strong>
            <span>{prompt}</span>
          </button>
        </li>
      ))}
    </ul>
  </div>
);
