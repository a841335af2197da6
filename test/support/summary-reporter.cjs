const { writeFileSync } = require('node:fs');

/** Leaves the counts of a whole run for `scripts/test.mjs`. A file that could not be loaded counts as one failed test. */
module.exports = class SummaryReporter {
  onRunComplete(_contexts, results) {
    if (!process.env.SUMMARY_FILE) return;
    const counts = {
      passed: results.numPassedTests,
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
      skipped: results.numPendingTests + results.numTodoTests,
    };
    writeFileSync(process.env.SUMMARY_FILE, JSON.stringify(counts));
  }
};
