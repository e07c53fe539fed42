// One line for each test that passes; the first that fails ends the run.
export let count = 0;

export async function test(what, run) {
  const start = Date.now();
  try {
    await run();
  } catch (error) {
    console.error(`browser-test.sh: error: ${what}: ${error.stack}`);
    process.exit(1);
  }
  count += 1;
  console.log(`${what}: as expected (${((Date.now() - start) / 1000).toFixed(1)} s)`);
}
