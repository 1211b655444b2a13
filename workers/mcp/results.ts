import type { CallToolResult, ContentBlock } from "@modelcontextprotocol/client";
import { createOutputBuffer } from "../tools/terminal/output.ts";
import type { ToolResult } from "../tools/tool.ts";

/** As much as a command's output. */
const MAX_RESULT_BYTES = 64 * 1024;

/**
 * What a tool answered, as the text that the model reads: texts as they are, structured content where there is no text (the
 * protocol asks servers to say it as text, too), everything else as a note. Beginning and end are kept of what is too long.
 */
export const resultText = (result: CallToolResult): ToolResult => {
  const texts = result.content.map(blockText).filter((text) => text !== "");
  const structured = texts.length === 0 && result.structuredContent !== undefined;
  const text = structured ? JSON.stringify(result.structuredContent, null, 1) : texts.join("\n");
  const isError = result.isError === true;
  return { content: boundedText(text) || (isError ? "[the tool failed]" : "[no output]"), isError };
};

/** Without control sequences, and not more than a result may have. */
export const boundedText = (text: string): string => {
  const output = createOutputBuffer(MAX_RESULT_BYTES);
  output.push(Buffer.from(text));
  return output.text();
};

const blockText = (block: ContentBlock): string => {
  switch (block.type) {
    case "text":
      return block.text;
    case "image":
    case "audio":
      return `[${block.type}, ${block.mimeType}, ${sizeOf(block.data)}: not shown]`;
    case "resource":
      return "text" in block.resource
        ? block.resource.text
        : `[resource ${block.resource.uri}, ${sizeOf(block.resource.blob)}: not shown]`;
    case "resource_link":
      return `[resource ${block.name}: ${block.uri}]`;
  }
};

const sizeOf = (base64: string): string => `${Math.ceil((base64.length * 3) / 4 / 1024)} KB`;
