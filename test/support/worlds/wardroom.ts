import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startWardroom, type Wardroom } from '../../../cli/start/start.ts'
import { loadConfig } from '../../../config/load.ts'
import type { Config } from '../../../config/schema.ts'
import type { ClinicianOptions } from '../clinician/client.ts'
import { type Clinician, logIn, openClinician } from '../clinician.ts'
import { eventually } from '../eventually.ts'
import { freePort } from '../free-port.ts'

/** What `npm start` runs, in a temporary folder: real child processes, a demo clinician's client, the telephone's texts. */
export type WardroomWorld = {
  wardroom: Wardroom
  dataDir: string
  bot: string
  signIn(name: 'admin' | 'drlee' | 'nurse_kim', options?: ClinicianOptions): Promise<Clinician>
  /** The encrypted chat that the bot opens with somebody who has a role. */
  chatOf(who: Clinician): Promise<string>
  /** The bot's answer in the command's thread. */
  ask(who: Clinician, chat: string, command: string): Promise<string>
  /** Enrols by command, records consent, joins; ready when the card is read. */
  enrol(
    who: Clinician,
    chat: string,
    patient: { phone: string; name: string; lang?: 'en' | 'es' },
  ): Promise<{ code: string; room: string }>
  /** The newest link that this telephone has got, after `known` of them. */
  link(phone: string, known?: number): Promise<string>
  texts(phone: string): Promise<{ body: string; status: string }[]>
  stop(): Promise<void>
}

/** Every test patient is born on this day. */
export const birthDay = { iso: '1950-03-07', day: '7', month: '3', year: '1950' }

const linkIn = /https?:\/\/\S+\/l\/\w+/

/** Two worlds that start in the same moment must not both find the usual ports free. */
const onFreePorts = async (config: Config): Promise<Config> => {
  const listen = { ...config.listen }
  for (const name of Object.keys(listen) as (keyof Config['listen'])[])
    listen[name] = { host: '127.0.0.1', port: await freePort() }
  return { ...config, listen, embedded: { synapse: await freePort(), postgres: await freePort() } }
}

export const wardroomWorld = async (print: (line: string) => void = () => undefined): Promise<WardroomWorld> => {
  const dataDir = mkdtempSync(join(tmpdir(), 'wardroom-world-'))
  const starting = startWardroom({ ...(await onFreePorts(loadConfig({ env: {} }))), dataDir }, print)
  const stop = async () => {
    await starting.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
  try {
    const wardroom = await starting.wardroom
    const { url, serverName } = wardroom.config.homeserver
    const bot = `@wardroom:${serverName}`
    const local = `http://127.0.0.1:${wardroom.config.listen.local.port}`
    const texts = async (phone: string) =>
      (await (await fetch(`${local}/local/messages?to=${encodeURIComponent(phone)}`)).json()) as {
        body: string
        status: string
      }[]
    const ask: WardroomWorld['ask'] = async (who, chat, command) => {
      const asked = await who.send(chat, command)
      const what = `the answer to ${command.split(' ').slice(0, 2).join(' ')}`
      return (
        await who.waitFor(s => s.roomId === chat && s.sender === bot && s.thread === asked && s.body !== '', { what })
      ).body
    }
    return {
      wardroom,
      dataDir,
      bot,
      texts,
      ask,
      stop,
      signIn: async (name, options) => {
        const { userId, password } = wardroom.accounts[name]!
        return openClinician(await logIn(url, userId, password), options)
      },
      chatOf: async who =>
        (
          await who.waitFor(s => s.sender === bot && s.body.includes('!help'), {
            timeout: 60_000,
            what: 'the bot’s greeting',
          })
        ).roomId,
      enrol: async (who, chat, { phone, name, lang = 'en' }) => {
        const said = await ask(who, chat, `!patient add ${phone} dob ${birthDay.iso} name "${name}" lang ${lang}`)
        const code = /[2-9A-Z]{3}-[2-9A-Z]{3}/.exec(said)?.[0]
        if (!code) throw new Error(`the patient was not added: ${said}`)
        await ask(who, chat, `!consent record ${code} care verbal`)
        const card = await who.waitFor(s => s.roomId !== chat && s.body.startsWith('🪪') && s.body.includes(code), {
          timeout: 60_000,
          what: 'the card',
        })
        return { code, room: card.roomId }
      },
      link: (phone, known = 0) =>
        eventually(
          async () =>
            (await texts(phone)).map(t => linkIn.exec(t.body)?.[0]).filter(found => found !== undefined)[known],
          { timeout: 60_000, what: 'the text message' },
        ),
    }
  } catch (error) {
    await stop()
    throw error
  }
}
