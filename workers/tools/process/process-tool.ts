import { z } from "zod";
import type { Process } from "../../../common/contracts/process.ts";
import { defineTool, failed, succeeded, type Tool } from "../tool.ts";

/** process: what this session left running in the background: list, output, kill. Processes of other sessions are unknown to it. */
export const createProcessTool = (): Tool =>
  defineTool({
    name: "process",
    description:
      "Looks at commands that `run_command` left running in the background in this session: `list` them, read the `output` of one, or " +
      "`kill` one. There is no need to wait for one in a loop: you are told when it ends.",
    parameters: z.object({
      action: z.enum(["list", "output", "kill"]),
      id: z.string().max(64).optional().describe("Of the process; not for list"),
    }),
    // Reading twice is reading once, and what has ended cannot be ended again.
    idempotent: true,
    run: async ({ action, id }, { processes }) => {
      if (processes === undefined) return failed("Nothing can be left running here.");
      if (action === "list") {
        const all = await processes.list();
        return succeeded(
          all.length === 0 ? "There are no background processes." : all.map(lineOf).join("\n"),
        );
      }
      if (id === undefined) return failed(`"${action}" needs the id of a process.`);
      if (action === "kill") {
        const killed = await processes.kill(id);
        return killed === null ? unknown(id) : succeeded(lineOf(killed));
      }
      const found = await processes.output(id);
      return found === null
        ? unknown(id)
        : succeeded(`${lineOf(found.process)}\n${found.output || "It has printed nothing yet."}`);
    },
  });

const unknown = (id: string) => failed(`This session has no background process "${id}".`);

const lineOf = ({ id, state, reason, exit_code, command, kill_requested }: Process): string => {
  const ended = `ended (${reason === "exited" ? `exit code ${exit_code ?? "unknown"}` : reason})`;
  const how = state === "ended" ? ended : kill_requested ? "is being ended" : "running";
  return `${id}: ${how}: ${command.replace(/\s+/g, " ").slice(0, 200)}`;
};
