import { type ComponentProps, memo, useRef } from "react";
import { Streamdown } from "streamdown";
import { CheckIcon, CopyIcon } from "./icons.tsx";
import { useCopy } from "./use-copy.ts";

type Components = NonNullable<ComponentProps<typeof Streamdown>["components"]>;

/**
 * Markdown as it streams: half-written marks are closed, finished blocks are not drawn again, HTML is sanitised. Plain
 * elements take the place of the renderer's own, so that the page's stylesheet decides, and nothing is fetched: a remote
 * image could carry data out (security-contract 6), so it becomes a link that a person may follow.
 */
export const Markdown = memo(function Markdown(props: {
  readonly text: string;
  readonly streaming: boolean;
}) {
  return (
    <Streamdown
      className="markdown"
      mode={props.streaming ? "streaming" : "static"}
      parseIncompleteMarkdown={props.streaming}
      components={COMPONENTS}
      controls={false}
      linkSafety={{ enabled: false }}
      dir="auto"
    >
      {props.text}
    </Streamdown>
  );
});

const Link: Components["a"] = ({ href, children }) =>
  href === undefined || !/^(https?:|mailto:)/i.test(href) ? (
    <span>{children}</span>
  ) : (
    <a href={href} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  );

const Image: Components["img"] = ({ src, alt }) => {
  const label = alt || "image";
  if (typeof src === "string" && /^(data:image\/|blob:)/i.test(src)) return <img src={src} alt={label} />;
  if (typeof src !== "string" || !/^https?:/i.test(src)) return <span className="no-image">[{label}]</span>;
  return (
    <a className="no-image" href={src} target="_blank" rel="noopener noreferrer" title={src}>
      [{label}: open the remote image]
    </a>
  );
};

const CodeBlock: Components["pre"] = ({ children }) => {
  const block = useRef<HTMLPreElement>(null);
  const { copied, copy } = useCopy();
  return (
    <div className="code-block">
      <pre ref={block}>{children}</pre>
      <button
        className="icon-button small copy"
        type="button"
        aria-label="Copy the code"
        onClick={() => copy(block.current?.textContent ?? "")}
      >
        {copied ? <CheckIcon /> : <CopyIcon />}
      </button>
    </div>
  );
};

const Code: Components["code"] = ({ className, children }) => <code className={className}>{children}</code>;

const Table: Components["table"] = ({ children }) => (
  <div className="table-scroll">
    <table>{children}</table>
  </div>
);

const COMPONENTS: Components = {
  a: Link,
  img: Image,
  pre: CodeBlock,
  code: Code,
  inlineCode: Code,
  table: Table,
  ...Object.fromEntries(
    [
      ..."h1 h2 h3 h4 h5 h6 p ul ol li blockquote hr strong em del sup sub section".split(" "),
      ..."thead tbody tr th td".split(" "),
    ].map((tag) => [tag, tag]),
  ),
};
