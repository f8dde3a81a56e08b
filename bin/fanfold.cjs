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
  keepDebuggerShut();
  silenceSqliteWarning();
  try {
    require("../dist/app/cli.cjs");
  } catch (error) {
    if (!isUnbuilt(error)) throw error;
    process.stderr.write("fanfold: is not built yet in this folder: run `npm ci && npm run build` there\n");
    process.exitCode = 1;
  }
}

function isUnbuilt(error) {
  return error && error.code === "MODULE_NOT_FOUND" && String(error.message).indexOf("'../dist/app/cli.cjs'") > 0;
}

/**
 * SIGUSR1 prints a status line (src/cli/process/status-signal.ts). Node.js would open the port of its debugger instead, to
 * everybody on this machine. A listener keeps it shut. A signal that came before it has opened the port: it is closed again.
 */
function keepDebuggerShut() {
  process.on("SIGUSR1", function () {});
  var isWanted = (process.execArgv.join(" ") + " " + (process.env.NODE_OPTIONS || "")).indexOf("--inspect") >= 0;
  if (isWanted || typeof process._debugEnd !== "function") return;
  [0, 20, 200, 1000].forEach(function (delayMs) {
    setTimeout(process._debugEnd, delayMs).unref();
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
