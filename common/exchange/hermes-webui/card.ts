import { oneLine } from "../../base/text.ts";
import { isRow } from "../../reconcile/row.ts";

/**
 * The text of a status card whose row has none: its title and its rows, as a list in Markdown. Cards were drawn by the
 * page that made them, in no fixed form; what is no text or number is passed over.
 */
export const cardText = (card: unknown): string => {
  if (!isRow(card)) return typeof card === "string" ? card.trim() : "";
  const title = [card.title, card.heading, card.kind].map(line).find((text) => text !== "");
  const rows = [card.rows, card.items].find(Array.isArray) ?? [];
  const lines = rows.flatMap((row: unknown) => {
    if (!isRow(row)) return line(row) === "" ? [] : [`- ${line(row)}`];
    const [label, value] = [line(row.label ?? row.name), line(row.value ?? row.text)];
    return label === "" && value === "" ? [] : [`- ${[label, value].filter(Boolean).join(": ")}`];
  });
  return [
    ...(title === undefined ? [] : [`**${title}**`]),
    ...(lines.length > 0 ? [lines.join("\n")] : []),
  ].join("\n\n");
};

const line = (value: unknown): string =>
  typeof value === "string" || typeof value === "number" ? oneLine(String(value)) : "";
