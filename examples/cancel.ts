/**
 * Ends the session of a source for all: the source itself, and every sink. It has to run as the user of the source, on
 * its machine, because the identity of the source proves whose session it is.
 *
 *     node cancel.ts COORDINATOR FROM
 */
import { cancelSession, FanfoldError } from "fanfold";

const [coordinator, folder] = process.argv.slice(2);
if (coordinator === undefined || folder === undefined) throw new Error("usage: node cancel.ts COORDINATOR FROM");

try {
  await using cancelling = cancelSession({ coordinator, folder });
  const { session } = await cancelling.result;
  console.log(`session ${session} is cancelled`);
} catch (error) {
  // One class of errors, with a code for programs and a sentence for people.
  if (!(error instanceof FanfoldError)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = 1;
}
