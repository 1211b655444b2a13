import {
  type Compose,
  type Container,
  filesBelow,
  interpolate,
  type Manifest,
  type PodSpec,
  readDockerfile,
  readYaml,
} from "./deploy-files.ts";

/** What is in `.env` beside docker-compose.yml. */
export const GIVEN = {
  TALARIA_PASSWORD: "a-password",
  TALARIA_TOKEN: "a-token",
  REDIS_PASSWORD: "redis-secret",
};
/** The same as the manifests' Secret. */
export const SECRET = {
  password: GIVEN.TALARIA_PASSWORD,
  token: GIVEN.TALARIA_TOKEN,
  "redis-password": "redis-secret",
};

export const [compose] = readYaml("docker-compose.yml") as [Compose];
/** What Compose gives a service. Throws where a required variable is not in `given`. */
export const composeEnv = (
  service: string,
  given: Readonly<Record<string, string>> = GIVEN,
): Record<string, string> =>
  Object.fromEntries(
    Object.entries(compose.services[service]?.environment ?? {}).map(([name, value]) => [
      name,
      interpolate(value, given),
    ]),
  );
export const manifests = filesBelow("scripts/deploy/kubernetes", ".yaml").flatMap(readYaml) as Manifest[];
const generated = manifests.flatMap(({ configMapGenerator = [] }) => configMapGenerator);
export const configMaps = Object.fromEntries(
  generated.map(({ name, literals }) => [
    name,
    Object.fromEntries(literals.map((literal) => literal.split(/=(.*)/s).slice(0, 2) as [string, string])),
  ]),
);
export const pods = manifests.flatMap(({ metadata, spec }) =>
  spec?.template === undefined ? [] : [{ name: metadata.name, ...spec.template }],
);
export const podSpec = (name: string): PodSpec => {
  const found = pods.find((pod) => pod.name === name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found.spec;
};
/** The one container of a pod. */
export const containerOf = (name: string): Container => {
  const [container] = podSpec(name).containers;
  if (container === undefined) throw new Error(`${name} has no container`);
  return container;
};

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
}
const [{ groups }] = readYaml("scripts/deploy/prometheus/alerts.yml") as [{ groups: { rules: Rule[] }[] }];
export const alerts: readonly Rule[] = groups.flatMap(({ rules }) => rules);

interface Scrape {
  readonly job_name: string;
  readonly authorization: { readonly type: string };
  readonly static_configs: readonly { readonly targets: readonly string[] }[];
}
const [{ scrape_configs }] = readYaml("scripts/deploy/prometheus/prometheus.yml") as [
  { scrape_configs: Scrape[] },
];
export const scrapes: readonly Scrape[] = scrape_configs;

const image = readDockerfile();
/** The last instruction of that name: those of the stage that becomes the image win. */
export const instruction = (name: string): string => image.findLast((one) => one.name === name)?.text ?? "";
