import { describe, expect, test } from "@jest/globals";
import type { ConversationInfo, ListQuery, StateDbReadOps } from "../../../common/state-db/read/port.ts";
import { alter, describeFile, make, mustRead, mutate, withOps } from "./read-files.ts";

const listAll = (ops: StateDbReadOps, path: string, query: Partial<ListQuery> = {}): ConversationInfo[] => {
  const found: ConversationInfo[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = mustRead(ops.listSessions(path, { limit: 3, ...query, cursor }));
    found.push(...page.sessions);
    cursor = page.next;
  }
  return found;
};

describe.each(["6", "16", "22", "31"])("version %s", (version) => {
  const path = make(
    ...["--sessions", "6", "--messages", "8", "--lineage", "2", "--lineage-depth", "3", "--branches", "2"],
    ...["--subagents", "2", "--schema-version", version],
  );
  const { sessions } = describeFile(path);

  test("the list has one entry per conversation, newest activity first, page by page", () => {
    withOps((ops) => {
      const list = listAll(ops, path);
      expect(list).toHaveLength(6 + 2 + 2 + 2);
      expect(new Set(list.map(({ id }) => id)).size).toBe(list.length);
      const times = list.map(({ lastActivityAt }) => lastActivityAt);
      expect(times).toEqual(times.toSorted((a, b) => b - a));
      expect(mustRead(ops.listSessions(path, { limit: 1 })).total).toBe(12);
      const chained = list.filter(({ segmentCount }) => segmentCount > 1);
      expect(chained.map(({ segmentCount }) => segmentCount)).toEqual([4, 4]);
      for (const { id, tipId, parentId } of chained) {
        expect(parentId).toBeNull();
        expect(sessions.find((session) => session.id === tipId)?.end_reason).toBeNull();
        expect(sessions.find((session) => session.id === id)?.parent).toBeNull();
      }
    });
  });

  test("branches and delegates stand for themselves and say what they are", () => {
    withOps((ops) => {
      const kinds = Object.groupBy(listAll(ops, path), ({ kind }) => kind);
      expect(kinds.branch).toHaveLength(2);
      expect(kinds.delegate?.map(({ source }) => source)).toEqual(["subagent", "subagent"]);
      expect(
        [...(kinds.branch ?? []), ...(kinds.delegate ?? [])].every(({ parentId }) => parentId !== null),
      ).toBe(true);
      expect(listAll(ops, path, { parentless: true })).toHaveLength(8);
      expect(listAll(ops, path, { kinds: ["conversation"] })).toHaveLength(8);
      const cli = listAll(ops, path, { source: "cli" });
      expect(cli.length).toBeGreaterThan(0);
      expect(cli.every(({ source }) => source === "cli")).toBe(true);
    });
  });

  test("a chain is the same from any of its segments", () => {
    withOps((ops) => {
      for (const { id, tipId, segmentCount } of listAll(ops, path)) {
        const chain = mustRead(ops.segments(path, id));
        expect(chain).toMatchObject({ rootId: id, tipId, cut: false });
        expect(chain?.ids).toHaveLength(segmentCount);
        for (const segment of chain?.ids ?? []) expect(mustRead(ops.segments(path, segment))).toEqual(chain);
      }
      expect(mustRead(ops.segments(path, "nobody"))).toBeNull();
    });
  });

  test("one session's metadata", () => {
    withOps((ops) => {
      const [branch] = listAll(ops, path, { kinds: ["branch"] });
      expect(mustRead(ops.sessionInfo(path, branch?.id ?? ""))).toMatchObject({
        id: branch?.id,
        kind: "branch",
        source: branch?.source,
        parentId: branch?.parentId,
        messageCountHint: 4,
        rewindCount: 0,
        archived: false,
      });
      expect(mustRead(ops.sessionInfo(path, "nobody"))).toBeNull();
    });
  });

  test("an append moves a conversation to the top", () => {
    withOps((ops) => {
      const last = listAll(ops, path).findLast(({ kind }) => kind === "conversation");
      mutate(path, "--append", last?.tipId ?? "", "1", "--now");
      // Beyond every clock of this file.
      alter(path, "UPDATE messages SET timestamp = 9000000000 WHERE id = (SELECT MAX(id) FROM messages)");
      const [first] = mustRead(ops.listSessions(path, { limit: 1 })).sessions;
      expect(first?.id).toBe(last?.id);
    });
  });
});

test("the row's time counts where the heartbeat lags", () => {
  const path = make("--sessions", "3", "--messages", "4");
  withOps((ops) => {
    const order = listAll(ops, path).map(({ id }) => id);
    const last = order.at(-1) ?? "";
    mutate(path, "--append", last, "1");
    alter(path, "UPDATE messages SET timestamp = 9000000000 WHERE id = (SELECT MAX(id) FROM messages)");
    expect(listAll(ops, path)[0]).toMatchObject({ id: last, lastActivityAt: 9_000_000_000 });
  });
});

test("of two children one continues; the other is listed for itself", () => {
  const path = make("--sessions", "1", "--messages", "6");
  const root = describeFile(path).sessions[0]?.id ?? "";
  const { child } = mutate(path, "--rotate", root) as { child: string };
  const { child: tip } = mutate(path, "--rotate", child) as { child: string };
  alter(
    path,
    "INSERT INTO sessions (id, source, started_at, parent_session_id, last_activity_at) VALUES ('twin', 'cli', 9e9, ?, 9e9)",
    root,
  );
  withOps((ops) => {
    expect(mustRead(ops.segments(path, tip))?.ids).toEqual([root, child, tip]);
    expect(mustRead(ops.segments(path, "twin"))?.ids).toEqual(["twin"]);
    expect(listAll(ops, path).map(({ id }) => id)).toEqual(["twin", root]);
  });
});

test("a mark that names another session, or a configuration that is no JSON, does not end a chain", () => {
  const path = make("--sessions", "2", "--messages", "6");
  const [root, other] = describeFile(path).sessions.map(({ id }) => id);
  const { child } = mutate(path, "--rotate", root ?? "") as { child: string };
  withOps((ops) => {
    for (const config of [JSON.stringify({ _branched_from: other }), '{"_branched_from":']) {
      alter(path, "UPDATE sessions SET model_config = ? WHERE id = ?", config, child);
      expect(mustRead(ops.segments(path, child))?.ids).toEqual([root, child]);
    }
    alter(
      path,
      "UPDATE sessions SET model_config = ? WHERE id = ?",
      JSON.stringify({ _reset_from: root }),
      child,
    );
    expect(mustRead(ops.segments(path, child))?.ids).toEqual([child]);
    expect(mustRead(ops.sessionInfo(path, child))?.kind).toBe("reset");
  });
});

test("a circle ends the walk, says so, and is listed once", () => {
  const path = make("--sessions", "1", "--messages", "6");
  const root = describeFile(path).sessions[0]?.id ?? "";
  const { child } = mutate(path, "--rotate", root) as { child: string };
  alter(
    path,
    "UPDATE sessions SET parent_session_id = ?, end_reason = 'compression' WHERE id = ?",
    child,
    root,
  );
  alter(path, "UPDATE sessions SET end_reason = 'compression' WHERE id = ?", child);
  withOps((ops) => {
    const chain = mustRead(ops.segments(path, root));
    expect(chain?.ids.toSorted()).toEqual([root, child].toSorted());
    expect(chain?.cut).toBe(true);
    expect(listAll(ops, path)).toHaveLength(1);
  });
});

test("a chain of 180 segments is whole; one beyond the cap says that it was cut", () => {
  const path = make("--sessions", "1", "--messages", "2", "--fts", "none");
  const root = describeFile(path).sessions[0]?.id ?? "";
  const grow = (from: number, to: number): void =>
    alter(
      path,
      `WITH RECURSIVE n(i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM n WHERE i < ${to})
       INSERT INTO sessions (id, source, started_at, parent_session_id, end_reason)
       SELECT 'seg' || i, 'cli', 9e9 + i, CASE i WHEN 1 THEN ? ELSE 'seg' || (i - 1) END, 'compression' FROM n`,
      root,
    );
  alter(path, "UPDATE sessions SET end_reason = 'compression'");
  grow(1, 179);
  withOps((ops) => {
    expect(mustRead(ops.segments(path, "seg90"))).toMatchObject({
      rootId: root,
      tipId: "seg179",
      cut: false,
    });
    expect(listAll(ops, path)).toMatchObject([{ id: root, tipId: "seg179", segmentCount: 180 }]);
    grow(180, 1200);
    expect(mustRead(ops.segments(path, "seg1199"))).toMatchObject({ tipId: "seg1200", cut: true });
    expect(mustRead(ops.segments(path, "seg1199"))?.ids).toHaveLength(1000);
  });
});

test("a cursor that is none of ours is refused", () => {
  const path = make("--sessions", "1", "--messages", "2");
  withOps((ops) => {
    expect(() => ops.listSessions(path, { limit: 1, cursor: "nonsense" })).toThrow(
      expect.objectContaining({ code: "invalid_request" }),
    );
    expect(ops.listSessions(path, { limit: 1 }).state).toBe("ok");
  });
});
