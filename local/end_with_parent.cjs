// Preloaded into a Node child: whoever started it holds its standard input open, and it ends when that is gone.
"use strict";

process.stdin.on("end", () => process.exit(0)).resume();
