// What the suite starts as the client: `hand-over.mjs <address of the run> <url of the suite's server>`. The client itself
// is in the run: a process of its own for each scenario would be more than all the rest.
const [, , run, url] = process.argv;
const given = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}');
const answer = await fetch(run, { method: 'POST', body: JSON.stringify({ url, given }) });
process.stderr.write(await answer.text());
process.exitCode = answer.ok ? 0 : 1;
