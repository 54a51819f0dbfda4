// Ends this Node process when whoever started it is gone, however that ended: their end of our input closes with them.
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
process.stdin.on("error", () => process.exit(0));
