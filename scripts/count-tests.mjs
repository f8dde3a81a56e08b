// `node scripts/count-tests.mjs REPORT STATUS`: prints `N passed, N failed` from vitest's JSON report and exit status.
// A file that could not be loaded counts as one failed test, and so does an error outside of all tests. Exit status 1
// when something failed, or when nothing ran.
import { readFileSync } from "node:fs";

const [, , path, vitestStatus] = process.argv;
const counts = countsOf(path);
const failed = Math.max(counts.failed, vitestStatus === "0" ? 0 : 1);
process.stdout.write(`${counts.passed} passed, ${failed} failed\n`);
if (failed > 0 || counts.passed === 0) process.exitCode = 1;

function countsOf(path) {
  try {
    const report = JSON.parse(readFileSync(path, "utf8"));
    const unloaded = report.testResults.filter(
      (file) => file.status === "failed" && file.assertionResults.length === 0,
    );
    return { passed: report.numPassedTests, failed: report.numFailedTests + unloaded.length };
  } catch (error) {
    process.stderr.write(`Read the test report "${path}": ${error.message}\n`);
    return { passed: 0, failed: 0 };
  }
}
