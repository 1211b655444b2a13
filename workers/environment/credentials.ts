import { isSecretName, looksRandom } from "../../common/profiles/env-file.ts";

/**
 * True for a variable of the server that no profile may inherit (P-15, P-24): by its name, as a URL that carries who one is,
 * or as a random-looking value under a name that says nothing. Regions, base URLs, models and the like are configuration.
 */
export const isCredential = (name: string, value: string): boolean =>
  isSecretName(name) ||
  MORE_NAMES.test(name) ||
  CLOUD_IDENTITY.test(name) ||
  URL_WITH_USER.test(value) ||
  (looksRandom(value) && !CONFIGURATION.test(name));

/** Holds keys or says where they are; what `isSecretName` leaves out because its values need not be redacted. OTEL_…: headers with
 * tokens, and a collector that is the operator's and no run's. */
const MORE_NAMES =
  /(^|_)(KEYS|SECRETS|CREDS|PAT|JWT|BEARER|OAUTH)(_|$)|^(NETRC|PGPASSFILE|KUBECONFIG|DOCKER_CONFIG|OTEL_.*)$/i;

/** Names by which the cloud SDKs find an identity: keys, profiles, roles, federation, containers, managed identities. */
const CLOUD_IDENTITY = new RegExp(
  [
    "AWS_(DEFAULT_)?PROFILE",
    "AWS_(CONFIG|SHARED_CREDENTIALS)_FILE",
    "AWS_(CONTAINER|WEB_IDENTITY|ROLE|SSO|BEARER|CREDENTIAL|ACCESS|SECRET|SESSION|SECURITY)_.*",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT(_MODE)?",
    "(AZURE|ARM)_(CLIENT|TENANT|FEDERATED|USERNAME|PASSWORD|POD_IDENTITY|CONFIG_DIR|TOKEN|AUTHORITY|OIDC|USE_).*",
    "(IDENTITY|MSI|IMDS)_(ENDPOINT|HEADER|SECRET|SERVER_THUMBPRINT)",
    "GOOGLE_(APPLICATION_CREDENTIALS|CREDENTIALS|IMPERSONATE_SERVICE_ACCOUNT|OAUTH_.*|GHA_CREDS_PATH)",
    "GCE_METADATA_(HOST|IP|ROOT)",
    "CLOUDSDK_(AUTH_.*|CONFIG|ACTIVE_CONFIG_NAME|CORE_ACCOUNT)",
  ]
    .map((name) => `^${name}$`)
    .join("|"),
  "i",
);

const URL_WITH_USER = /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s]*@/i;

/** Long names of hosts, models and versions look random, too. */
const CONFIGURATION =
  /(^|_)(REGION|ZONE|URL|ENDPOINT|HOST|HOSTNAME|NAME|VERSION|PROJECT|MODEL|DEPLOYMENT|DIR|PATH|FILE|HOME|USER|LOGNAME)$/i;
