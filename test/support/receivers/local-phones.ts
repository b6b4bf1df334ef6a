import type { Behaviour } from '../../../appservice/sms/local/behaviours.ts'
import type { LocalCall } from '../../../appservice/sms/local/calls.ts'
import type { LocalMessage } from '../../../appservice/sms/local/state.ts'

/** The telephones of the local Twilio-compatible server, by their numbers. */
export type LocalPhones = {
  /** How a telephone behaves from now on, or for some times. */
  behave(number: string, behaviour: Behaviour, times?: number): Promise<unknown>
  /** Texts that reached a telephone, oldest first. */
  texts(number: string): Promise<LocalMessage[]>
  calls(number: string): Promise<LocalCall[]>
  pickUp(sid: string, digits: string): Promise<unknown>
  /** The holder of a telephone writes. */
  say(from: string, body: string, media?: number): Promise<LocalMessage>
}

/** `url`: where the local server listens. */
export const localPhones = (url: string): LocalPhones => {
  const json = async (path: string, body?: unknown) => {
    const answer = await fetch(url + path, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`)
    return text === '' ? undefined : JSON.parse(text)
  }
  return {
    behave: (number, behaviour, times) => json('/local/behaviour', { number, behaviour, times }),
    texts: async number =>
      ((await json(`/local/messages?to=${encodeURIComponent(number)}`)) as LocalMessage[]).filter(
        m => m.direction !== 'inbound',
      ),
    calls: number => json(`/local/calls?to=${encodeURIComponent(number)}`),
    pickUp: (sid, digits) => json(`/local/calls/${sid}/pick-up`, { digits }),
    say: (from, body, media) => json('/local/inbound', { from, body, media }),
  }
}
