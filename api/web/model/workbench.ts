import type { CompressPreview } from "../../../common/contracts/context.ts";
import type { PatchSessionBody } from "../../../common/contracts/http.ts";
import type { CreateProfileBody, PatchProfileBody, ProfileView } from "../../../common/contracts/profile.ts";
import type { RecapKind } from "../../../common/contracts/recap.ts";
import type { AppState } from "./app-state.ts";
import type { Outcome } from "./problem.ts";
import type { SessionFilter } from "./session-list.ts";
import type { Updates } from "./updates.ts";

/** What the views may ask for. Every command reports its failure itself; none rejects. */
export interface Workbench {
  getState(): AppState;
  /** Calls back after each change; returns the way to stop that. */
  subscribe(listener: () => void): () => void;
  select(id: string | null): void;
  /** Sends `text` to the session, or to a new one when `id` is null. Resolves with false when the text goes back to the composer. */
  send(id: string | null, text: string): Promise<boolean>;
  stop(sessionId: string, runId: string): void;
  /** Ends a background process. */
  killProcess(id: string): void;
  /** null takes the title away: the next one is automatic. */
  rename(id: string, title: string | null): void;
  /** Makes a title from the latest exchange. */
  makeTitle(id: string): void;
  /** Tells what the conversation was about, on a card. */
  makeRecap(id: string, kind: RecapKind): void;
  cancelRecap(id: string, jobId: string): void;
  closeOffer(id: string): void;
  /** Pins, archives and so on. */
  patch(id: string, change: PatchSessionBody): void;
  remove(id: string): void;
  search(query: string): void;
  filter(filter: SessionFilter): void;
  loadMoreSessions(): void;
  /** Copies of a session, the first with everything, the second up to and with a message; they come into view. */
  duplicate(id: string): void;
  fork(id: string, through: string): void;
  /** Opens the session that goes on in place of an exhausted one. */
  goOn(id: string): void;
  /** Makes a session of an exported file's text. */
  importFile(text: string): void;
  clear(id: string): void;
  /** Takes the last turn back; its prompt stands in the composer if that is empty. */
  undo(id: string): void;
  /** Takes away the message and all that follows it. */
  cutFrom(id: string, messageId: string): void;
  /** Runs the last prompt again in place of its answer. */
  retry(id: string): void;
  /** Replaces the message and all that follows it. Resolves with false when it was refused. */
  edit(id: string, messageId: string, text: string): Promise<boolean>;
  setEditing(id: string, messageId: string | null): void;
  /** Whether the reader is elsewhere than at the end, or has text selected. */
  setAway(id: string, away: boolean): void;
  /** Opens the session, pages back to the message and brings it into view. */
  reveal(id: string, messageId: string): void;
  revealed(id: string): void;
  /** Resolves when the page before the first message is in the state. */
  loadOlder(id: string): Promise<void>;
  retryLoad(id: string): void;
  signIn(password: string): Promise<string | null>;
  closeToast(id: number): void;
  readonly drafts: Drafts;
  readonly profiles: ProfileCommands;
  readonly updates: Updates;
  readonly compression: CompressionCommands;
}

/** What a person does about the model's context of a session. */
export interface CompressionCommands {
  preview(id: string): Promise<Outcome<CompressPreview>>;
  /** `focus` "": none. */
  start(id: string, focus: string): Promise<Outcome<null>>;
  cancel(id: string, jobId: string): void;
  retry(id: string, jobId: string): void;
  /** The text that a version stands for; null: it could not be read, which was told. */
  summary(id: string, version: number): Promise<string | null>;
}

/** What is done with profiles. Refusals are answered, to be shown in place; none rejects. */
export interface ProfileCommands {
  /** Opens the dialog with a profile at its side; null: with the list alone. */
  open(name: string | null): void;
  show(name: string | null): void;
  close(): void;
  /** Reads list and profile again. */
  refresh(): void;
  /** Asks the profile's provider for its models. */
  askModels(name: string): void;
  /** The profile that this browser begins new sessions with. Nothing else changes. */
  choose(name: string): void;
  create(body: CreateProfileBody): Promise<Outcome<ProfileView>>;
  change(name: string, body: PatchProfileBody): Promise<Outcome<ProfileView>>;
  /** The value goes to the server and is kept nowhere. */
  setKey(profile: string, name: string, value: string): Promise<Outcome<null>>;
  removeKey(profile: string, name: string): Promise<Outcome<null>>;
  /** The profile with its folder and its sessions. */
  remove(name: string): Promise<Outcome<null>>;
}

/** The browser's last chosen profile, over reloads. */
export interface ProfileChoice {
  read(): string | null;
  write(name: string): void;
}

/** What was typed and not sent, per session; `null` stands for the session that does not exist yet. */
export interface Drafts {
  read(id: string | null): string;
  write(id: string | null, text: string): void;
}
