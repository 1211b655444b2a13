import { TalariaError } from "../../common/base/errors.ts";
import { EmptyBody } from "../../common/contracts/http.ts";
import type { RunLimits } from "../../common/contracts/profile.ts";
import {
  CreateProfileBody,
  KeyAnswer,
  KeyNameSchema,
  ListModelsQuery,
  ListProfilesQuery,
  ModelList,
  PatchProfileBody,
  ProfileAnswer,
  ProfileList,
  SetKeyBody,
} from "../../common/contracts/profile.ts";
import type { RunControl } from "../../common/lifecycle/port.ts";
import type { Redactor } from "../../common/logging/redact.ts";
import type { ModelLists } from "../../common/profiles/model-list.ts";
import { isProfileName } from "../../common/profiles/names.ts";
import type { ProfileStore } from "../../common/profiles/store.ts";
import { type Call, operation, type Resource } from "../route.ts";

export interface ProfileRoutesDeps {
  readonly profiles: ProfileStore;
  readonly models: ModelLists;
  readonly control: Pick<RunControl, "dropProfile" | "hint">;
  readonly sessionCounts: () => Promise<readonly { readonly profile: string; readonly n: number }[]>;
  /** Runs that wait for their profile's limits are looked at anew. */
  readonly applyLimits: (profile: string, limits: RunLimits) => Promise<void>;
  /** Takes a deleted profile out of the search index. */
  readonly forgetSearch: (profile: string) => Promise<void>;
  /** Keys that stand in a setting where none belongs do not come out either (profiles P-25); never rejects. */
  readonly redactorOf: (profile: string) => Promise<Redactor>;
}

/** How other routes name a profile: as sessions and files do, whichever of its names was given. */
export interface ProfileNaming {
  /** Rejects with `profile_not_found`. */
  demand(name: string): Promise<string>;
  /** A query with its profile so named; a profile that there is not stays as it is, and nothing is found. */
  asNamed<Query extends { readonly profile?: string | undefined }>(query: Query): Promise<Query>;
}

/** Profiles as homes: what they are called, which model they use, which keys they have; never what a key is (profiles). */
export const profileRoutes = (deps: ProfileRoutesDeps): readonly Resource[] => {
  const { profiles, control } = deps;

  const shown = async <View extends { readonly name: string }>(profile: View): Promise<View> =>
    Object.assign({}, (await deps.redactorOf(profile.name)).value(profile), { name: profile.name });

  const list: Resource = {
    path: "/api/profiles",
    tag: "Profiles",
    access: "protected",
    methods: {
      get: operation({
        summary: "The profiles of this server",
        query: ListProfilesQuery,
        answers: { 200: { description: "`default` first, the others by name", schema: ProfileList } },
        async handle({ query, res }) {
          const [all, counts] = await Promise.all([profiles.list(), deps.sessionCounts()]);
          const listed = all.filter(({ visible }) => visible || query.all === "true");
          const data = await Promise.all(
            listed.map(async (profile) => {
              const {
                instructions: _i,
                instructions_cut: _cut,
                agent: _a,
                limits: _l,
                config_revision: _r,
                ...rest
              } = profile;
              const summary = await shown(rest);
              return { ...summary, sessions: counts.find((one) => one.profile === profile.name)?.n ?? 0 };
            }),
          );
          res.json({ data, next_cursor: null });
        },
      }),
      post: operation({
        summary: "Create a profile, empty or cloned from another",
        body: CreateProfileBody,
        answers: { 201: { description: "The profile", schema: ProfileAnswer } },
        errors: ["profile_exists", "profile_not_found", "profile_unavailable", "storage_full"],
        async handle({ body, res }) {
          const created = await profiles.create(body);
          control.hint({ profile: created.name });
          const profile = await shown(created);
          res.status(201).location(`/api/profiles/${profile.name}`).json({ profile });
        },
      }),
    },
  };

  const one: Resource = {
    path: "/api/profiles/:name",
    tag: "Profiles",
    access: "protected",
    methods: {
      get: operation({
        summary: "One profile",
        answers: { 200: { description: "The profile", schema: ProfileAnswer } },
        errors: ["profile_not_found"],
        handle: async (call) =>
          void call.res.json({ profile: await shown(await profiles.get(profileName(call))) }),
      }),
      patch: operation({
        summary: "Change a profile",
        description:
          "The files keep their comments and everything that is not named. It counts from the next run on; running ones keep what they began with. " +
          "A key belongs to the origin (scheme, host and port) it was saved for: where `provider` or `base_url` change where the provider's key " +
          "would be sent, the key is removed from `.env` in the same edit and is `set: false` in `keys` of the answer. Give the new address' key " +
          "with it (`key`), or set it afterwards. What is edited by hand in the files is not judged.",
        body: PatchProfileBody,
        answers: { 200: { description: "The changed profile", schema: ProfileAnswer } },
        errors: [
          ...(["profile_not_found", "profile_exists", "profile_unavailable"] as const),
          ...(["key_refused", "conflict", "storage_full"] as const),
        ],
        async handle(call) {
          const profile = await profiles.patch(profileName(call), call.body);
          if (call.body.limits !== undefined) await deps.applyLimits(profile.name, profile.limits);
          control.hint({ profile: profile.name });
          call.res.json({ profile: await shown(profile) });
        },
      }),
      delete: operation({
        summary: "Delete a profile with its folder and its sessions",
        description:
          "Refused with `profile_busy` and the ids of the runs (`details.run_ids`) while it has queued or running ones. The default profile stays.",
        body: EmptyBody,
        answers: { 204: { description: "Deleted" } },
        errors: ["profile_not_found", "profile_busy", "forbidden"],
        async handle(call) {
          const name = await profiles.canonical(profileName(call));
          if (name === "default")
            throw new TalariaError("forbidden", "The default profile cannot be deleted.");
          await control.dropProfile(name, false);
          await profiles.remove(name);
          // What came between the two found no home any more.
          await control.dropProfile(name, true);
          control.hint({ profile: name });
          await deps.forgetSearch(name);
          call.res.status(204).end();
        },
      }),
    },
  };

  const keys: Resource = {
    path: "/api/profiles/:name/keys",
    tag: "Profiles",
    access: "protected",
    methods: {
      post: operation({
        summary: "Set a variable of the profile's .env",
        description:
          "Write-only: no answer of this server ever holds the value. The provider's key is saved for the origin that the profile has now; " +
          "set the address first. A variable that `base_url` names can move the profile as well: then the provider's key is removed.",
        body: SetKeyBody,
        answers: { 200: { description: "It is set", schema: KeyAnswer } },
        errors: ["profile_not_found", "key_refused", "profile_unavailable", "conflict", "storage_full"],
        async handle(call) {
          const { name, value } = call.body;
          const profile = await profiles.canonical(profileName(call));
          await profiles.setKey(profile, name, value);
          control.hint({ profile });
          call.res.json({ key: { name, set: true } });
        },
      }),
    },
  };

  const key: Resource = {
    path: "/api/profiles/:name/keys/:key",
    tag: "Profiles",
    access: "protected",
    methods: {
      delete: operation({
        summary: "Take a variable out of the profile's .env",
        body: EmptyBody,
        answers: { 200: { description: "It is not set (any more)", schema: KeyAnswer } },
        errors: ["profile_not_found", "key_refused", "profile_unavailable", "conflict", "storage_full"],
        async handle(call) {
          const name = call.param("key");
          if (!KeyNameSchema.safeParse(name).success)
            throw new TalariaError("key_refused", "That is no name of a variable.");
          const profile = await profiles.canonical(profileName(call));
          await profiles.unsetKey(profile, name);
          control.hint({ profile });
          call.res.json({ key: { name, set: false } });
        },
      }),
    },
  };

  const models: Resource = {
    path: "/api/models",
    tag: "Profiles",
    access: "protected",
    methods: {
      get: operation({
        summary: "The models of a profile's provider",
        query: ListModelsQuery,
        answers: { 200: { description: "Model ids, sorted", schema: ModelList } },
        errors: ["profile_not_found", "profile_unavailable", "provider_unavailable"],
        async handle({ query, res }) {
          const profile = await profiles.canonical(query.profile);
          const answer = await deps.models.get(profile);
          res.json((await deps.redactorOf(profile)).value(answer));
        },
      }),
    },
  };

  return [list, one, keys, key, models];
};

/** The name in the path. What cannot be a name names no profile: it is missing, not malformed. */
const profileName = ({ param }: Pick<Call<unknown, unknown>, "param">): string => {
  const name = param("name");
  if (!isProfileName(name)) throw new TalariaError("profile_not_found", "There is no profile of that name.");
  return name;
};
