import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { loadConfig } from "../common/config/load.ts";
import { SETTINGS, type Setting } from "../common/config/settings.ts";
import {
  containerEnv,
  filesBelow,
  type Manifest,
  readDockerfile,
  readText,
  readYaml,
} from "./helpers/deploy-files.ts";
import {
  alerts,
  compose,
  composeEnv,
  configMaps,
  containerOf,
  GIVEN,
  instruction,
  manifests,
  podSpec,
  pods,
  SECRET,
  scrapes,
} from "./helpers/deployed.ts";

// Dockerfile, docker-compose.yml and what is below scripts/deploy/ say what the program is like. The metrics: deploy-metrics.test.ts.

/** Variables that are not settings of ours; scripts/deploy/README.md says whose they are. */
const FOREIGN = ["REDIS_PASSWORD", "REDISCLI_AUTH", "NODE_ENV"];
const PORT = Number(SETTINGS.port.default);
const settings = Object.values(SETTINGS) as readonly Setting[];
const image = readDockerfile();
const packageJson = JSON.parse(readText("package.json")) as {
  version: string;
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
};
/** As a process reads it, in a home where nothing else is said. */
const configOf = (env: Readonly<Record<string, string>>) =>
  loadConfig({ ...env, TALARIA_HOME: "/nonexistent" });
const commandOf = (script: "api" | "worker"): string[] => {
  const entry = packageJson.scripts[script]?.split(" ").at(-1) ?? "";
  return ["node", "--disable-warning=ExperimentalWarning", entry];
};

test("every file below scripts/deploy/ can be read, and a kustomization names files that are there", () => {
  for (const file of [...filesBelow("scripts/deploy", ".yml"), ...filesBelow("scripts/deploy", ".yaml")])
    expect(readYaml(file).length).toBeGreaterThan(0);
  for (const file of filesBelow("scripts/deploy", ".json"))
    expect(JSON.parse(readText(file))).toBeInstanceOf(Object);
  const bases = filesBelow("scripts/deploy/kubernetes", "kustomization.yaml");
  expect(bases).toHaveLength(2);
  for (const file of bases)
    for (const resource of (readYaml(file) as [Manifest])[0].resources ?? [])
      expect([resource, existsSync(join(file, "..", resource))]).toEqual([resource, true]);
});

describe("the image", () => {
  test("has the Node that package.json and .nvmrc pin, in every stage", () => {
    const version = packageJson.dependencies.node ?? "";
    expect(readText(".nvmrc").trim()).toBe(version);
    const bases = image.filter(({ name }) => name === "FROM").map(({ text }) => text.replace(/ AS .*/, ""));
    expect(bases).toEqual([`node:${version}-trixie-slim`, `node:${version}-trixie-slim`]);
  });
  test("is started as `npm run api` and `npm run worker` start their processes, without npm in between", () => {
    expect(JSON.parse(instruction("CMD"))).toEqual(commandOf("api"));
    expect(JSON.parse(instruction("ENTRYPOINT"))).toEqual(["tini", "--"]);
    expect(compose.services.api?.command).toBeUndefined();
    expect(compose.services.worker?.command).toEqual(commandOf("worker"));
    expect(containerOf("talaria-api").args).toBeUndefined();
    expect(containerOf("talaria-worker").args).toEqual(commandOf("worker"));
    for (const script of ["api", "worker"] as const)
      expect(existsSync(commandOf(script).at(-1) ?? "")).toBe(true);
  });
  test("is built by scripts that there are, from files that .dockerignore lets in", () => {
    const run = image.filter(({ name }) => name === "RUN").map(({ text }) => text);
    const scripts = run.flatMap((text) => [...text.matchAll(/npm run (\S+)/g)].map(([, name]) => name));
    expect(scripts).toEqual(["build"]);
    expect(packageJson.scripts).toHaveProperty("build");
    expect(run.filter((text) => text.includes("npm ci --omit=dev"))).toHaveLength(1);
    const [first, ...rules] = readText(".dockerignore")
      .split("\n")
      .filter((line) => /^[^#]/.test(line));
    expect(first).toBe("*");
    const admitted = rules.filter((rule) => rule.startsWith("!")).map((rule) => rule.slice(1));
    const copied = image
      .filter(({ name, text }) => name === "COPY" && !text.startsWith("--from"))
      .flatMap(({ text }) => text.split(" ").slice(0, -1));
    for (const path of copied) {
      expect(admitted).toContain(path.split("/")[0]);
      expect(existsSync(path)).toBe(true);
    }
    for (const secret of ["**/.env*", "**/node_modules", "**/dist"]) expect(rules).toContain(secret);
  });
  test("runs as a number that is not root, the one that the manifests name, and carries no secret", () => {
    expect(instruction("USER")).toBe("1000:1000");
    for (const name of ["talaria-api", "talaria-worker"])
      expect(podSpec(name).securityContext).toMatchObject({
        runAsNonRoot: true,
        runAsUser: 1000,
        runAsGroup: 1000,
      });
    const set = image
      .filter(({ name }) => name === "ENV" || name === "ARG")
      .map(({ text }) => text)
      .join(" ");
    const secrets = settings.filter(({ secret }) => secret).map(({ name }) => name);
    expect(secrets.filter((name) => set.includes(name))).toEqual([]);
  });
  test("port: the image, Compose, the Services, the probes and the scrape agree with the default of PORT", () => {
    expect(instruction("EXPOSE")).toBe(String(PORT));
    expect(instruction("HEALTHCHECK")).toContain(`(process.env.PORT || ${PORT}) + '/healthz'`);
    expect(compose.services.api?.ports).toEqual([`127.0.0.1:${PORT}:${PORT}`]);
    expect(compose.services.redis?.ports).toBeUndefined();
    const service = manifests.find(({ kind, metadata }) => kind === "Service" && metadata.name === "talaria");
    expect(service?.spec.ports).toMatchObject([{ port: PORT, targetPort: "http" }]);
    const api = containerOf("talaria-api");
    expect(api.ports).toEqual([{ name: "http", containerPort: PORT }]);
    expect(api.startupProbe?.httpGet).toEqual({ path: "/healthz", port: "http" });
    expect(api.livenessProbe?.httpGet).toEqual({ path: "/healthz", port: "http" });
    expect(api.readinessProbe?.httpGet).toEqual({ path: "/readyz", port: "http" });
    const [target = ""] = scrapes.flatMap(({ static_configs }) =>
      static_configs.flatMap(({ targets }) => targets),
    );
    expect(target).toBe(`api:${PORT}`);
    // Another Host would be answered with 421.
    expect(configOf(composeEnv("api")).http.allowedHosts).toContain("api");
  });
  test("version: Compose and the manifests name the one of package.json", () => {
    for (const service of ["api", "worker"])
      expect(compose.services[service]?.image).toBe(`talaria:${packageJson.version}`);
    const tags = manifests.flatMap(({ images = [] }) => images.map(({ newTag }) => newTag));
    expect(tags).toEqual([packageJson.version]);
  });
});

describe("the environment", () => {
  const names = [
    ...Object.values(compose.services).flatMap(({ environment }) => Object.keys(environment)),
    ...[...readText("docker-compose.yml").matchAll(/\$\{([A-Z_]+)/g)].map(([, name = ""]) => name),
    ...pods.flatMap(({ spec }) => spec.containers.flatMap(({ env }) => env.map(({ name }) => name))),
    ...Object.values(configMaps).flatMap((values) => Object.keys(values)),
    ...image
      .filter(({ name }) => name === "ENV")
      .flatMap(({ text }) => [...text.matchAll(/(\w+)=/g)].map(([, name = ""]) => name)),
  ];
  test("names settings of ours, or variables of others that scripts/deploy/README.md explains", () => {
    const known = settings.map(({ name }) => name);
    expect(names.filter((name) => !known.includes(name) && !FOREIGN.includes(name))).toEqual([]);
    const readme = readText("scripts/deploy/README.md");
    expect(FOREIGN.filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
  });
  test("is understood by the process that gets it", () => {
    for (const env of [
      ...["api", "worker"].map((service) => composeEnv(service)),
      ...["talaria-api", "talaria-worker"].map((pod) => containerEnv(containerOf(pod), configMaps, SECRET)),
    ]) {
      const { redis, http, auth } = configOf(env);
      expect(new URL(redis.url).password).toBe(GIVEN.REDIS_PASSWORD);
      // A worker is given neither the address nor the secrets of the api.
      expect([http.host, auth.password]).toEqual(
        env.HOST === undefined ? ["127.0.0.1", null] : ["0.0.0.0", GIVEN.TALARIA_PASSWORD],
      );
    }
  });
  test("without the secrets nothing starts: Compose refuses, and so does an api that is not on loopback", () => {
    for (const missing of ["TALARIA_PASSWORD", "REDIS_PASSWORD"])
      expect(() => composeEnv("api", { ...GIVEN, [missing]: "" })).toThrow(`put ${missing} into .env`);
    const env = containerEnv(containerOf("talaria-api"), configMaps, { "redis-password": "x" });
    expect(() => configOf(env)).toThrow(/HOST = "0.0.0.0".*TALARIA_PASSWORD/);
    const keys = pods.flatMap(({ spec }) =>
      spec.containers.flatMap(({ env: all }) =>
        all.flatMap(({ valueFrom }) => (valueFrom === undefined ? [] : [valueFrom.secretKeyRef])),
      ),
    );
    const readme = readText("scripts/deploy/README.md");
    for (const { name, key } of keys) {
      expect(readme).toContain(`create secret generic ${name} `);
      expect(readme).toContain(`--from-literal=${key}=`);
    }
  });
});

describe("stopping and staying", () => {
  /** For handing runs back and closing, beyond the drain (scripts/start.mjs gives 5 s). */
  const MARGIN_S = 10;
  test("a worker is given more time than it drains, and the alert on a long drain waits longer still", () => {
    const graceS = Number(/^(\d+)s$/.exec(compose.services.worker?.stop_grace_period ?? "")?.[1]);
    expect(graceS).toBeGreaterThanOrEqual(configOf(composeEnv("worker")).worker.drainMs / 1000 + MARGIN_S);
    const pod = podSpec("talaria-worker");
    const { worker } = configOf(containerEnv(containerOf("talaria-worker"), configMaps, SECRET));
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(worker.drainMs / 1000 + MARGIN_S);
    const alert = alerts.find((rule) => rule.alert === "TalariaWorkerDrainsLong");
    const waitsS = 60 * Number(/^(\d+)m$/.exec(alert?.for ?? "")?.[1]);
    expect(waitsS).toBeGreaterThan(Math.max(graceS, pod.terminationGracePeriodSeconds));
  });
  test("Redis keeps what it is given", () => {
    for (const args of [compose.services.redis?.command, containerOf("talaria-redis").command]) {
      const command = (args ?? []).join(" ");
      for (const flag of ["--appendonly yes", "--maxmemory-policy noeviction", "--requirepass "])
        expect(command).toContain(flag);
    }
  });
  test("whatever opens the home's SQLite files is kept on one node", () => {
    const openers = pods.filter(({ spec }) =>
      spec.volumes?.some(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName === "talaria-home"),
    );
    expect(openers.map(({ name }) => name)).toEqual(["talaria-api", "talaria-worker"]);
    for (const { metadata, spec } of openers) {
      const [term, ...more] = spec.affinity?.podAffinity.requiredDuringSchedulingIgnoredDuringExecution ?? [];
      expect(more).toEqual([]);
      expect(term?.topologyKey).toBe("kubernetes.io/hostname");
      // It asks for its own kind, too: otherwise the first one would wait for ever.
      expect(metadata.labels).toMatchObject(term?.labelSelector.matchLabels ?? { none: "" });
    }
  });
  test("no container may more than it needs", () => {
    for (const { spec } of pods) {
      expect(spec).toMatchObject({
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true },
      });
      for (const { securityContext } of spec.containers)
        expect(securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        });
    }
  });
});
