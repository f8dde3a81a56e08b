// `node scripts/count-tests.mjs REPORT`: prints `N passed, N failed` from vitest's JSON report. A file that could not
// be loaded counts as one failed test. Exit status 1 when a test failed, or when none ran.
import { readFileSync } from "node:fs";

const { passed, failed } = countsOf(process.argv[2]);
process.stdout.write(`${passed} passed, ${failed} failed\n`);
if (failed > 0 || passed === 0) process.exitCode = 1;

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
