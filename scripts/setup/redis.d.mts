/** The private Redis of a home; see redis.mjs. */
export interface PrivateRedisState {
  readonly pid: number;
  readonly port: number;
  readonly password: string;
}
export function redisDirOf(stateDir: string): string;
export function readPrivateRedis(dir: string): PrivateRedisState | null;
export function redisUrlOf(state: Pick<PrivateRedisState, "port" | "password">): string;
export function redisCommand(url: string, args: readonly string[], timeoutMs?: number): Promise<unknown>;
export function isFree(port: number, host?: string): Promise<boolean>;
