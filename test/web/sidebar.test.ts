import { describe, expect, it } from "@jest/globals";
import { NO_SEARCH, searchFor, searchLoaded, segmentsOf } from "../../api/web/model/search.ts";
import {
  createListState,
  listLoaded,
  NO_FILTER,
  pinnedFirst,
  upsertSession,
} from "../../api/web/model/session-list.ts";
import { storeBanner, storeNotice } from "../../api/web/model/stores.ts";
import { keptBefore } from "../../api/web/model/turn-actions.ts";
import { loaded, message, session } from "./story.ts";

const aged = (id: string, at: number) => ({ ...session(id), last_message_at: at });
const items = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => aged(`s${from + i}`, 1_000 - from - i));

describe("the list of sessions", () => {
  const page = { query: "", filter: NO_FILTER, nextCursor: "c", append: false };

  it("a hint that reads the first page again does not throw back who paged further down", () => {
    let list = listLoaded(createListState(), { ...page, items: items(0, 50) });
    list = listLoaded(list, { ...page, items: items(50, 100), nextCursor: "d", append: true });
    const again = listLoaded(list, { ...page, items: [aged("new", 2_000), ...items(0, 49)] });
    expect(again.items).toHaveLength(101);
    expect(again.items[0]?.id).toBe("new");
    expect(again.nextCursor).toBe("d");
  });

  it("a session that no longer passes the filter leaves, and its source is offered", () => {
    const list = listLoaded(createListState(), { ...page, items: [{ ...aged("a", 1), source: "cli" }] });
    expect(list.sources).toEqual(["cli"]);
    expect(upsertSession(list, { ...aged("a", 1), archived: true }).items).toEqual([]);
  });

  it("an answer to an older filter is not shown", () => {
    const list = { ...createListState(), filter: { archived: true, source: null, profile: null } };
    expect(listLoaded(list, { ...page, items: items(0, 1) })).toBe(list);
  });

  it("pinned ones stand first", () => {
    const pinned = { ...aged("p", 1), pinned: true };
    expect(pinnedFirst([...items(0, 2), pinned]).map((s) => s.id)).toEqual(["p", "s0", "s1"]);
  });
});

describe("search", () => {
  it("cuts a snippet at its matches, whatever the ranges are", () => {
    expect(segmentsOf("<b>one two", [[3, 6]])).toEqual([
      { text: "<b>", marked: false },
      { text: "one", marked: true },
      { text: " two", marked: false },
    ]);
    const odd = [[8, 99], [-3, 2], [1, 4], [5, 5]] as const; // biome-ignore format: one line
    const segments = segmentsOf("0123456789", odd);
    expect(segments.map((s) => s.text).join("")).toBe("0123456789");
    expect(segments.filter((s) => s.marked).map((s) => s.text)).toEqual(["01", "23", "89"]);
  });

  it("a late answer to older words is dropped, titles stay with the sessions", () => {
    const hit = { session: session("s"), role: null, snippet: "", matches: [], created_at: 1 };
    const search = searchFor(NO_SEARCH, " new ", null);
    const answer = {
      data: [
        { ...hit, message_id: null },
        { ...hit, message_id: "1" },
      ],
      next_cursor: null,
      indexing: true,
    };
    expect(searchLoaded(search, { query: "old", profile: null, page: answer, append: false })).toBe(search);
    const found = searchLoaded(search, { query: "new", profile: null, page: answer, append: false });
    expect(found.hits.map((h) => h.message_id)).toEqual(["1"]);
    expect(found.indexing).toBe(true);
  });
});

describe("the shared transcripts", () => {
  const store = { profile: "default", newer: false, version: 1, sessions: 1, indexed: true };

  it("tells what cannot be read, and nothing of what is only new", () => {
    expect(storeNotice("ok")).toBeNull();
    expect(storeNotice("none")).toBeNull();
    expect(storeNotice("locked")).toContain("locked by another program");
    expect(storeBanner([{ ...store, state: "missing", sessions: 0 }])).toEqual([]);
    expect(storeBanner([{ ...store, state: "corrupt" }])[0]).toContain("damaged");
    expect(storeBanner([{ ...store, state: "ok", newer: true }])[0]).toContain("newer version");
  });
});

describe("deleting from a message on", () => {
  it("keeps through the one before; the first of all means everything; unread ones must be read first", () => {
    const state = loaded([message("a", "user", "1"), message("a", "assistant", "2")]);
    expect(keptBefore(state, "a-assistant")).toEqual({ keep: "through", id: "a-user" });
    expect(keptBefore(state, "a-user")).toEqual({ keep: "nothing" });
    expect(keptBefore({ ...state, older: "c" }, "a-user")).toEqual({ keep: "unknown" });
  });
});
