import type { FileHandle } from "node:fs/promises";
import { failed, succeeded, type ToolResult } from "../tool.ts";

const CHUNK_BYTES = 64 * 1024;
const MAX_CHARACTERS = 64 * 1024;
/** How far a part of a file is searched for; a sparse file of any size costs no more than this. */
const MAX_SCANNED_BYTES = 64 * 1024 * 1024;

/** Lines `offset` … `offset + limit - 1` of a text file, at most 64 K characters, with a note when there is more. */
export const readLines = async (
  file: FileHandle,
  { offset, limit, signal }: { offset: number; limit: number; signal: AbortSignal },
): Promise<ToolResult> => {
  const decoder = new TextDecoder();
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let position = 0;
  let line = 1;
  let text = "";
  for (;;) {
    signal.throwIfAborted();
    const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, position);
    const bytes = chunk.subarray(0, bytesRead);
    if (bytes.includes(0)) return failed("This is not a text file.");
    position += bytesRead;
    const part = decoder.decode(bytes, { stream: bytesRead > 0 });
    for (let start = 0; start < part.length; ) {
      const newline = part.indexOf("\n", start);
      const end = newline < 0 ? part.length : newline + 1;
      if (line >= offset) text += part.slice(start, end);
      if (newline >= 0) line++;
      start = end;
      if (text.length > MAX_CHARACTERS) return succeeded(cut(text, line));
      if (line >= offset + limit) {
        const more = start < part.length || (await file.read(chunk, 0, 1, position)).bytesRead > 0;
        return succeeded(more ? `${text}(more follows from line ${line})` : text);
      }
    }
    if (bytesRead === 0) break;
    if (position >= MAX_SCANNED_BYTES) return failed(`The file is too large; line ${line} was reached.`);
  }
  if (text === "" && offset > 1) return failed(`The file ends before line ${offset}.`);
  return succeeded(text === "" ? "(empty file)" : text);
};

const cut = (text: string, line: number): string =>
  `${text.slice(0, MAX_CHARACTERS).toWellFormed()}\n(cut here, at ${MAX_CHARACTERS} characters, in line ${line})`;
