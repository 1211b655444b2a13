import { expect, test } from "@jest/globals";
import { serverLabels, toolName } from "../../../workers/mcp/names.ts";

const label = (name: string, ...others: readonly string[]): string =>
  serverLabels([name, ...others]).get(name) ?? "";

test("names are those of server and tool where providers take them", () => {
  expect(toolName(label("postgres"), "query")).toBe("mcp_postgres_query");
  expect(toolName(label("my-server"), "list_files")).toBe("mcp_my-server_list_files");
});

test("every name fits [A-Za-z0-9_-]{1,64}, and different tools keep different names", () => {
  const tools = ["a.b", "a/b", "a_b", "a b", "ä", "", "x".repeat(200), `${"x".repeat(200)}y`, "a\nb"];
  const servers = ["s.1", "s_1", "s 1", "ü".repeat(64), "n".repeat(64), `${"n".repeat(63)}m`];
  const labels = serverLabels(servers);
  const names = servers.flatMap((server) => tools.map((tool) => toolName(labels.get(server) ?? "", tool)));
  for (const name of names) expect(name).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
  expect(new Set(names).size).toBe(names.length);
});

test("a tool's name depends on nothing but itself and the names of the servers", () => {
  expect(toolName(label("s"), "a.b")).toBe(toolName(label("s", "other"), "a.b"));
  expect(label("s")).toBe(label("s", "t", "u"));
});

test("servers whose names run into each other do not share names of tools", () => {
  expect(toolName(label("a", "a_b"), "b_c")).toBe("mcp_a_b_c");
  expect(toolName(label("a_b", "a"), "c")).toMatch(/^mcp_a_b_[0-9a-f]{8}_c$/);
  expect(toolName(label("a_b"), "c")).toBe("mcp_a_b_c");
});
