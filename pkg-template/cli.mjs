#!/usr/bin/env node
// The program `ofauth-edge`. docs/cli.md describes it.

import { runProgram } from "./cli/program.mjs";

// The exit code is set instead of calling process.exit(), which could cut off output that is still on its way into a pipe.
process.exitCode = await runProgram(process.argv.slice(2));
