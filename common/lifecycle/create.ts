import { createRunControl } from "./control.ts";
import type { LifecycleDeps } from "./deps.ts";
import { createDispatcher, type Dispatcher } from "./dispatcher.ts";
import { createFinisher, type Finisher } from "./finish.ts";
import type { RunControl } from "./port.ts";
import { type ReconcilerOptions, startReconciler } from "./reconciler.ts";
import { createSettler, type Settler } from "./settle.ts";
import { createWake, type WakeOptions } from "./wake.ts";
import { startWakeRounds } from "./wake-rounds.ts";

export interface Lifecycle {
  readonly finisher: Finisher;
  readonly dispatcher: Dispatcher;
  readonly settler: Settler;
  readonly control: RunControl;
  /** Stops the timers and waits for what was begun. */
  close(): Promise<void>;
}

/** Everything that a process needs to move runs along; `name` identifies the process in rows and logs. */
export const createLifecycle = (
  deps: LifecycleDeps,
  name: string,
  options: ReconcilerOptions & { readonly wake: WakeOptions },
): Lifecycle => {
  const finisher = createFinisher(deps);
  const dispatcher = createDispatcher(deps, finisher, createWake(deps, options.wake));
  const settler = createSettler(deps, finisher, dispatcher, name);
  const reconciler = startReconciler(deps, dispatcher, settler, options);
  const wakes = startWakeRounds(deps, dispatcher, options.wake);
  return {
    finisher,
    dispatcher,
    settler,
    control: createRunControl(deps, finisher, dispatcher, settler),
    close: async () => {
      await Promise.all([reconciler.close(), wakes.close()]);
      await dispatcher.settled();
    },
  };
};
