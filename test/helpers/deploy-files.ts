import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

export const readText = (path: string): string => readFileSync(join(ROOT, path), "utf8");

/** Every document of a YAML file. Throws when one of them has an error or a warning. */
export const readYaml = (path: string): unknown[] => {
  const documents = parseAllDocuments(readText(path), { merge: true });
  if (!Array.isArray(documents)) return [];
  for (const { errors, warnings } of documents) for (const problem of [...errors, ...warnings]) throw problem;
  return documents.map((document) => document.toJS() as unknown);
};

/** Paths of the files below `folder` that end so. */
export const filesBelow = (folder: string, ending: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name))
    .sort();

export interface Compose {
  readonly services: Readonly<
    Record<
      string,
      {
        readonly image: string;
        readonly command?: readonly string[];
        readonly environment: Readonly<Record<string, string>>;
        readonly ports?: readonly string[];
        readonly volumes: readonly string[];
        readonly stop_grace_period: string;
      }
    >
  >;
}

interface Env {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly secretKeyRef: { readonly name: string; readonly key: string } };
}

interface Probe {
  readonly httpGet?: { readonly path: string; readonly port: string };
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env: readonly Env[];
  readonly envFrom?: readonly { readonly configMapRef: { readonly name: string } }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly securityContext: Readonly<Record<string, unknown>>;
}

export interface PodSpec {
  readonly affinity?: {
    readonly podAffinity: {
      readonly requiredDuringSchedulingIgnoredDuringExecution: readonly {
        readonly labelSelector: { readonly matchLabels: Readonly<Record<string, string>> };
        readonly topologyKey: string;
      }[];
    };
  };
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly automountServiceAccountToken: boolean;
  readonly terminationGracePeriodSeconds: number;
  readonly containers: readonly Container[];
  readonly volumes?: readonly { readonly persistentVolumeClaim?: { readonly claimName: string } }[];
}

/** A manifest, as far as the tests look into it. */
export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly ports?: readonly { readonly port: number; readonly targetPort: string }[];
    readonly triggers?: readonly { readonly metadata: { readonly query: string } }[];
    readonly template?: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: PodSpec;
    };
  };
  /** Of a kustomization. */
  readonly resources?: readonly string[];
  readonly images?: readonly { readonly newTag: string }[];
  readonly configMapGenerator?: readonly { readonly name: string; readonly literals: readonly string[] }[];
}

/** Fills `${NAME}`, `${NAME:-else}` and `${NAME:?why}` as Compose does: throws `why` where the name is unset or empty. */
export const interpolate = (text: string, given: Readonly<Record<string, string>>): string =>
  text.replace(/\$\{([A-Z_]+)(?::([-?])([^}]*))?\}/g, (_all, name: string, mode?: string, more = "") => {
    const value = given[name] ?? "";
    if (value !== "") return value;
    if (mode === "?") throw new Error(more);
    return mode === "-" ? more : "";
  });

/** The environment that Kubernetes gives a container. */
export const containerEnv = (
  { env, envFrom = [] }: Container,
  configMaps: Readonly<Record<string, Readonly<Record<string, string>>>>,
  secret: Readonly<Record<string, string>>,
): Record<string, string> => {
  const made: Record<string, string> = {};
  for (const { configMapRef } of envFrom) Object.assign(made, configMaps[configMapRef.name]);
  for (const { name, value = "", valueFrom } of env)
    made[name] =
      valueFrom === undefined
        ? value.replace(/\$\(([A-Z_]+)\)/g, (all, other: string) => made[other] ?? all)
        : (secret[valueFrom.secretKeyRef.key] ?? "");
  return made;
};

/** The instructions of the Dockerfile in order, continuation lines joined. */
export const readDockerfile = (): { readonly name: string; readonly text: string }[] =>
  readText("Dockerfile")
    .replace(/^\s*#.*\n/gm, "")
    .replace(/\\\n\s*/g, "")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => ({ name: line.replace(/ .*/, ""), text: line.replace(/^\S+ /, "") }));
