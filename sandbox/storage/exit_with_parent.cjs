// Ends this Node process when the process that started it is gone, even after SIGKILL: standard input closes then.
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
process.stdin.on("error", () => process.exit(0));
