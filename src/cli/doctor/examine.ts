import { checkBroker } from "./check-broker.ts";
import { checkCoordinator } from "./check-coordinator.ts";
import { checkMachine } from "./check-machine.ts";
import { checkNative } from "./check-native.ts";
import { checkSinkFolder } from "./check-sink-folder.ts";
import { checkSourceFolder } from "./check-source-folder.ts";
import { type Check, type DoctorFinding, type DoctorTask, Look } from "./finding.ts";

const CHECKS: readonly Check[] = [
  checkNative,
  checkMachine,
  checkCoordinator,
  checkBroker,
  checkSourceFolder,
  checkSinkFolder,
];

/** Looks at everything, one thing after another, and gives the findings as they come. */
export async function* examine(task: DoctorTask): AsyncGenerator<DoctorFinding, void, undefined> {
  for (const check of CHECKS) {
    task.signal.throwIfAborted();
    try {
      yield* await check(task);
    } catch (thrown) {
      // A check that fails in a way it does not know must not hide the others.
      task.signal.throwIfAborted();
      yield new Look("doctor", "every check comes to an end").failed(thrown, "run it again, and report it if it stays");
    }
  }
}
