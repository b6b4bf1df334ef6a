import { defaultFiles } from '../../config/service.ts'
import type { Wardroom } from './start.ts'

/** What a person sees when everything runs: addresses, demo accounts, and what to try. */
export const startTable = ({ config, accounts, embedded }: Wardroom): string => {
  const local = config.sms.provider === 'local'
  // The page signs in as a demo clinician.
  const tryable = local && embedded.synapse
  const { host, port } = config.listen.local
  const localUrl = `http://${host === '127.0.0.1' ? 'localhost' : host}:${port}`
  const homeserver = embedded.synapse ? config.homeserver.url.replace('127.0.0.1', 'localhost') : config.homeserver.url
  const addresses: [string, string][] = [
    ...(tryable ? [['Try it: both sides in one window', `${localUrl}/try`] as [string, string]] : []),
    ...(local ? [["The patient's telephone", `${localUrl}/handset`] as [string, string]] : []),
    ['Patient page (texts link here)', config.publicUrl],
    ['Audit page (ask the bot: !admin link)', config.adminUrl],
    ['Homeserver, for Element', `${homeserver}  (user ids end in :${config.homeserver.serverName})`],
    ['Data and logs', config.dataDir],
  ]
  const people = Object.values(accounts).map(({ userId, password, about }): [string, string] => [
    userId,
    `${password}  ${about}`,
  ])
  return [
    '',
    'Wardroom runs.',
    '',
    ...columns(addresses),
    ...(people.length > 0 ? ['', 'Demo accounts (name, password):', ...columns(people)] : []),
    '',
    ...(tryable ? tryIt(`${localUrl}/try`, homeserver) : own(config.homeserver.serverName)),
    '',
    ...(embedded.synapse
      ? [`Before real patients: move ${defaultFiles(config.dataDir).recovery} offline (docs/operating.md).`]
      : []),
    'Ctrl-C stops everything.',
  ].join('\n')
}

const tryIt = (page: string, homeserver: string): string[] => [
  'What to try:',
  `  1. Open ${page}: write as the clinician, tap the link on the telephone, answer as the patient.`,
  `  2. Or sign in with Element as drlee (homeserver ${homeserver}), open a chat with @wardroom and write !help.`,
  '  3. !patient add +15555550123 dob 1950-03-07 name "Maria Alvarez"  then write in the room that it makes.',
  '  4. Sign in as officer for the audit log: !audit user @drlee, !audit status, or !admin link for its page.',
]

const own = (serverName: string): string[] => [`Open a chat with @wardroom:${serverName} and write !help.`]

const columns = (rows: [string, string][]): string[] => {
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`)
}
