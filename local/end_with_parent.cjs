// Preloaded into a Node child: whoever started it holds its standard input open, and it ends when that is gone.
"use strict";

process.stdin.on("end", () => process.kill(process.pid, "SIGTERM")).resume();
process.stdin.unref(); // watching must not keep alive what is done
