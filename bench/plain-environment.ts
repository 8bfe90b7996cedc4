/**
 * Our own environment without what makes Node itself slower and larger: with NODE_EXTRA_CA_CERTS Node 20 parses all those
 * certificates before it runs anything (60 ms and 2 MB for Debian's).
 */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const { NODE_EXTRA_CA_CERTS: _, ...plain } = process.env;
  return plain;
}
