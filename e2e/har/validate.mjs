// Reads a HAR file from standard input and says on standard error what is wrong with it. Exit code 0: nothing.
import { readFileSync } from "node:fs";
import { har } from "har-validator/lib/promise.js";

try {
  await har(JSON.parse(readFileSync(0, "utf8")));
} catch (error) {
  const problems = error.errors ?? [{ message: error.message }];
  for (const { dataPath = "", message, params = {} } of problems) {
    console.error(`${dataPath}: ${message} ${JSON.stringify(params)}`);
  }
  process.exitCode = 1;
}
