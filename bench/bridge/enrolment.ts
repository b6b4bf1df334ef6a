import type { Bench } from '../bench.ts'
import { type Figure, figure, median, quantile } from '../figure.ts'
import { scaled } from '../scale.ts'
import { ward } from '../ward.ts'

const count = scaled(20)

/** How long somebody at the desk waits: from the command until it is accepted, and until the patient's room can be written in. One after another, as people type. */
export const enrolment: Bench = {
  area: 'bridge',
  figures: ['enrolment_accepted_ms', 'room_ready_ms'],
  run: async say => {
    const { world, lee, readyAt, settled } = await ward(say)
    const chat = await world.chatOf(lee)
    const accepted: number[] = []
    const ready: number[] = []
    say(`bridge: enrolling ${count} patients by command`)
    for (let n = 0; n < count; n++) {
      // Nobody types a number, a birth date and a name while the patient before still gets their room.
      await settled()
      const from = Date.now()
      const said = await world.ask(lee, chat, `!patient add +1202556${2000 + n} dob 1950-03-07 name "Maria Ejemplo"`)
      accepted.push(Date.now() - from)
      const code = /[2-9A-Z]{3}-[2-9A-Z]{3}/.exec(said)?.[0]
      if (!code) throw new Error(`the patient was not added: ${said}`)
      ready.push((await readyAt(code)) - from)
    }
    const of = (name: string, values: number[], atMost: number, what: string): Figure =>
      figure({
        name: `bridge.${name}`,
        value: quantile(values, 0.95),
        unit: 'ms',
        goal: { atMost },
        note: `95th percentile of ${values.length}, median ${median(values)}, one after another, each when the one before is done; ${what}`,
      })
    return [
      of(
        'enrolment_accepted_ms',
        accepted,
        1000,
        "a clinician's client begins to send !patient add → the bot's answer is decrypted there",
      ),
      of('room_ready_ms', ready, 5000, 'the same begin → ghost, owner and room are made, the staff are invited'),
    ]
  },
}
