#!/usr/bin/env node
// Starts the command. Plain old JavaScript, so that a Node.js that is too old gets a sentence and not a stack trace.
"use strict";

var WANTED_MAJOR = 24;
var foundMajor = parseInt(process.versions.node, 10);

if (!(foundMajor >= WANTED_MAJOR)) {
  process.stderr.write(
    "fanfold: needs Node.js " +
      WANTED_MAJOR +
      " or newer, but this is " +
      process.version +
      " (" +
      process.execPath +
      "): " +
      "install a newer Node.js from https://nodejs.org and try again\n",
  );
  process.exitCode = 1;
} else {
  silenceSqliteWarning();
  import("../dist/app/cli.js").catch(function (error) {
    var unbuilt =
      error && error.code === "ERR_MODULE_NOT_FOUND" && String(error.message).indexOf("cli.js' imported") > 0;
    if (!unbuilt) throw error;
    process.stderr.write("fanfold: is not built yet in this folder: run `npm ci && npm run build` there\n");
    process.exitCode = 1;
  });
}

/** Early releases of Node.js 24 call node:sqlite experimental on stderr; every other warning is still shown. */
function silenceSqliteWarning() {
  var emitWarning = process.emitWarning;
  process.emitWarning = function (warning) {
    if (String(warning).indexOf("SQLite is an experimental feature") === 0) return;
    Reflect.apply(emitWarning, process, arguments);
  };
}
