// The command `gptj` in a clone: makes the clone ready as far as needed, then runs the command. `gptj serve` is `npm start`
// in the folder where it is called.
if (process.argv[2] === 'serve') {
  process.argv.splice(2, 1);
  await import('./start.mjs');
} else {
  const { prepareServer } = await import('./prepare.mjs');
  await prepareServer();
  await import('../apps/cli/dist/main.js');
}
