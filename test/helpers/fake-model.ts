import type { Directives } from "../../workers/engines/demo/directives.ts";
import {
  createModelServer,
  type ModelServer,
  type ObservedRequest,
} from "../../workers/engines/demo/model-server.ts";

/** A scripted model server in this process; the caller closes it. `observe` sees each request before its answer. */
export const startFakeModel = (
  defaults: Partial<Directives> = {},
  observe: (request: ObservedRequest) => void = () => {},
): Promise<ModelServer> => createModelServer({ defaults, observe }).listen(0);

/** Runs `work` with a fresh model server and closes it afterwards. */
export const withFakeModel = async <T>(
  work: (model: ModelServer) => Promise<T>,
  defaults: Partial<Directives> = {},
): Promise<T> => {
  const model = await startFakeModel(defaults);
  try {
    return await work(model);
  } finally {
    await model.close();
  }
};
