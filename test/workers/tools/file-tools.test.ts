import { execFileSync } from "node:child_process";
import { type Dirent, renameSync, rmSync, symlinkSync } from "node:fs";
import { link, lstat, mkdir, open, readdir, readFile, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { createFileTools } from "../../../workers/tools/files/file-tools.ts";
import { callTool, withWorkspace } from "./harness.ts";

const tools = createFileTools();
const read = (workspace: string, path: string, more = {}) =>
  callTool(tools, "read_file", { path, ...more }, { workspace });
const write = (workspace: string, path: string, content = "new") =>
  callTool(tools, "write_file", { path, content }, { workspace });
const list = (workspace: string, path?: string) =>
  callTool(tools, "list_files", path === undefined ? {} : { path }, { workspace });

describe("files of the workspace", () => {
  test("are written with their folders, read and listed", () =>
    withWorkspace(async (workspace) => {
      expect(await write(workspace, "a/b/ü.txt", "one\ntwo\n")).toMatchObject({ isError: false });
      expect(await read(workspace, "a/b/ü.txt")).toEqual({ content: "one\ntwo\n", isError: false });
      expect(await read(workspace, join(workspace, "./a//b/ü.txt"))).toMatchObject({ isError: false });
      await write(workspace, "z.txt", "");
      expect(await list(workspace)).toEqual({ content: "a/\nz.txt 0", isError: false });
      expect(await list(workspace, "a/b")).toEqual({ content: "ü.txt 8", isError: false });
      expect((await lstat(join(workspace, "z.txt"))).mode & 0o777).toBe(0o644);
    }));

  test("are replaced as a whole, keep their mode and leave no temporary file", () =>
    withWorkspace(async (workspace) => {
      await writeFile(join(workspace, "run.sh"), "old, and longer than the new", { mode: 0o755 });
      const reader = await open(join(workspace, "run.sh"));
      await write(workspace, "run.sh");
      expect(await reader.readFile("utf8")).toBe("old, and longer than the new");
      await reader.close();
      expect(await readFile(join(workspace, "run.sh"), "utf8")).toBe("new");
      expect((await lstat(join(workspace, "run.sh"))).mode & 0o777).toBe(0o755);
      expect(await readdir(workspace)).toEqual(["run.sh"]);
    }));

  test("are read in parts", () =>
    withWorkspace(async (workspace) => {
      const lines = Array.from({ length: 5000 }, (_, i) => `line ${i + 1} é`).join("\n");
      await writeFile(join(workspace, "long.txt"), lines);
      expect(await read(workspace, "long.txt", { offset: 4000, limit: 2 })).toEqual({
        content: "line 4000 é\nline 4001 é\n(more follows from line 4002)",
        isError: false,
      });
      expect((await read(workspace, "long.txt", { offset: 5000 })).content).toBe("line 5000 é");
      expect(await read(workspace, "long.txt", { offset: 5001 })).toMatchObject({ isError: true });
      await writeFile(join(workspace, "wide.txt"), "x".repeat(5_000_000));
      const wide = await read(workspace, "wide.txt");
      expect(wide.content.length).toBeLessThan(70_000);
      expect(wide.content).toContain("cut here");
    }));

  test("that are sparse, binary or missing are answered soon and clearly", () =>
    withWorkspace(async (workspace) => {
      await writeFile(join(workspace, "sparse"), "");
      await truncate(join(workspace, "sparse"), 100 * 1024 ** 3);
      expect(await read(workspace, "sparse")).toEqual({ content: "This is not a text file.", isError: true });
      expect(await read(workspace, "missing.txt")).toEqual({
        content: '"missing.txt" does not exist.',
        isError: true,
      });
      expect(await list(workspace, "missing")).toMatchObject({ isError: true });
    }));
});

describe("what is not the workspace's (security-contract 9, 62 to 66, 75)", () => {
  const HOSTILE = [
    "../secret.txt",
    "a/../../secret.txt",
    "..",
    "/etc/passwd",
    "..\\secret.txt",
    "C:\\secret.txt",
    "a\u0000b",
    "a\nb",
    ".env",
    ".ENV",
    ".env.local",
    "sub/.Env",
    "auth.json",
    "state.db",
    "state.db-wal",
    "STATE.DB-shm",
    "talaria.db",
    "id_rsa",
    "server.pem",
    ".ssh/config",
    "x/".repeat(100),
    "y".repeat(300),
  ];
  test.each(HOSTILE)("%j is neither read, written nor listed", (path) =>
    withWorkspace(async (workspace, outside) => {
      await writeFile(join(outside, "secret.txt"), "secret");
      await mkdir(join(workspace, "a"));
      for (const result of [
        await read(workspace, path),
        await write(workspace, path),
        await list(workspace, path),
      ]) {
        expect(result.isError).toBe(true);
        expect(result.content).not.toContain(outside);
      }
      expect(await readFile(join(outside, "secret.txt"), "utf8")).toBe("secret");
      expect(await readdir(workspace, { recursive: true })).toEqual(["a"]);
    }),
  );

  test.each([
    ["to another folder", "/etc", "link/passwd"],
    ["to a parent", "..", "link/secret.txt"],
    ["to itself", "link", "link/x"],
    ["to a file outside", "../secret.txt", "link"],
    ["to a file inside", "inside.txt", "link"],
  ])("a link %s is not followed", (_what, target, path) =>
    withWorkspace(async (workspace, outside) => {
      await writeFile(join(outside, "secret.txt"), "secret");
      await writeFile(join(workspace, "inside.txt"), "inside");
      await symlink(target, join(workspace, "link"));
      for (const result of [await read(workspace, path), await write(workspace, path)]) {
        expect(result).toMatchObject({ isError: true });
        expect(result.content).toMatch(/symbolic link|not a regular file/);
      }
      expect((await list(workspace)).content).toContain("link (link, not followed)");
      expect(await readFile(join(outside, "secret.txt"), "utf8")).toBe("secret");
      expect(await readFile(join(workspace, "inside.txt"), "utf8")).toBe("inside");
    }),
  );

  test("a FIFO, a device and a folder are no files, and nothing hangs", () =>
    withWorkspace(async (workspace) => {
      execFileSync("mkfifo", [join(workspace, "fifo")]);
      await mkdir(join(workspace, "folder"));
      for (const path of ["fifo", "folder", "fifo/x"]) {
        expect(await read(workspace, path)).toMatchObject({ isError: true });
        expect(await write(workspace, path)).toMatchObject({ isError: true });
      }
      expect((await lstat(join(workspace, "fifo"))).isFIFO()).toBe(true);
    }));

  test("denied names do not even show, and control characters in names stay on their line", () =>
    withWorkspace(async (workspace) => {
      await writeFile(join(workspace, ".env"), "KEY=canary");
      await writeFile(join(workspace, "two\nlines"), "");
      expect((await list(workspace)).content).toBe('"two\\nlines" 0');
    }));

  test("protected folders are refused under any name, inside the workspace, too", () =>
    withWorkspace(async (workspace) => {
      await mkdir(join(workspace, "home", "talaria"), { recursive: true });
      await writeFile(join(workspace, "home", "talaria", "notes.txt"), "state");
      const guarded = createFileTools({ deniedDirs: [join(workspace, "home", "talaria"), "/nonexistent"] });
      const call = (name: string, args: object) => callTool(guarded, name, args, { workspace });
      expect(await call("read_file", { path: "home/talaria/notes.txt" })).toMatchObject({ isError: true });
      expect(await call("write_file", { path: "home/talaria/x", content: "" })).toMatchObject({
        isError: true,
      });
      expect(await call("list_files", { path: "home/talaria" })).toMatchObject({ isError: true });
      expect(await call("list_files", { path: "home" })).toMatchObject({ isError: false });
    }));

  test("a hard link is replaced, not written through", () =>
    withWorkspace(async (workspace, outside) => {
      await writeFile(join(outside, "secret.txt"), "secret");
      await link(join(outside, "secret.txt"), join(workspace, "hard.txt"));
      await write(workspace, "hard.txt");
      expect(await readFile(join(outside, "secret.txt"), "utf8")).toBe("secret");
    }));

  test("a folder swapped for a link between check and use leads nowhere (64)", () =>
    withWorkspace(async (workspace, outside) => {
      const target = join(outside, "target");
      await mkdir(target);
      await writeFile(join(target, "file.txt"), "secret");
      const [name, parked] = [join(workspace, "dir"), join(workspace, "parked")];
      await mkdir(name);
      await writeFile(join(name, "file.txt"), "mine");
      let swapped = false;
      let racing = true;
      // The tool may make the folder anew in any gap; then the swap is tried again.
      const swap = (): void => {
        if (!swapped) renameSync(name, parked);
        for (let done = false; !done; ) {
          try {
            rmSync(name, { recursive: true, force: true });
            if (swapped) renameSync(parked, name);
            else symlinkSync(target, name);
            done = true;
          } catch (error) {
            if (!/^(EEXIST|ENOTEMPTY)$/.test((error as NodeJS.ErrnoException).code ?? "")) throw error;
          }
        }
        swapped = !swapped;
      };
      // After 1, 2 … 16 turns of the event loop and so on, that is, between any two steps of the walk.
      const race = (async () => {
        for (let turns = 0; racing; turns = (turns + 1) % 16) {
          swap();
          for (let i = 0; i <= turns; i++) await new Promise((resolve) => setImmediate(resolve));
        }
        if (swapped) swap();
      })();
      const outcomes = { mine: 0, refused: 0 };
      try {
        for (let i = 0; i < 1000; i++) {
          const { content, isError } = await read(workspace, "dir/file.txt");
          expect(content).not.toContain("secret");
          outcomes[isError ? "refused" : "mine"]++;
          if (i % 4 === 0) await write(workspace, "dir/made.txt");
        }
      } finally {
        racing = false;
        await race;
      }
      expect((await readdir(target, { withFileTypes: true })).map((entry: Dirent) => entry.name)).toEqual([
        "file.txt",
      ]);
      expect(outcomes.mine).toBeGreaterThan(0);
      expect(outcomes.refused).toBeGreaterThan(0);
    }));
});
