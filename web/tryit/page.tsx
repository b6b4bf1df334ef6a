import type { JSX } from 'preact'
import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import type { Talk } from '../shared/conversation/item.ts'
import { Guide, spoken } from './guide.tsx'
import { type Clinician, open } from './matrix/clinician.ts'
import { Pane } from './pane.tsx'
import { type Person, people } from './people.ts'
import { SettingUp, type SetupStep, type Stuck, StuckCard } from './setting-up.tsx'
import { notReached, stepsDone } from './steps.ts'
import { type Side, Tabs, useWide } from './tabs.tsx'
import '../shared/conversation/conversation.css'
import './tryit.css'

/** Both sides of a care room in one window: a real Matrix client on the left, the patient's telephone on the right. */
export const TryItPage = (): JSX.Element => {
  const wide = useWide()
  const [side, setSide] = useState<Side>('clinician')
  const [setup, setSetup] = useState<SetupStep[]>([])
  const [person, setPerson] = useState<Person>(people[0])
  const [clinician, setClinician] = useState<Clinician | null>(null)
  const [talk, setTalk] = useState<Talk | null>(null)
  const [stuck, setStuck] = useState<Stuck | null>(null)
  const [seen, setSeen] = useState<string | null>(null)
  const [restarting, setRestarting] = useState(false)

  useEffect(() => {
    open({
      onStep: (text, command) => setSetup(steps => [...steps, { text, command }]),
      onPerson: setPerson,
      onTalk: setTalk,
      onEnd: () => setStuck({ why: 'ended' }),
    }).then(
      opened => (opened ? setClinician(opened) : setStuck({ why: 'nobody' })),
      (error: Error) => setStuck(known => known ?? { why: 'failed', message: `${error.message}.` }),
    )
  }, [])

  const visible = wide || side === 'clinician'
  const looking = useRef({ visible, clinician })
  looking.current = { visible, clinician }
  const onSeen = useCallback((id: string) => {
    if (!looking.current.visible) return
    looking.current.clinician?.seen(id)
    setSeen(id)
  }, [])
  const last = talk?.items.findLast(item => item.sender !== talk.me)?.id
  useEffect(() => {
    if (visible && last) onSeen(last)
  }, [visible])

  const done = stepsDone(talk?.items ?? [], talk?.me ?? '', seen)
  const startOver = async () => {
    if (!clinician) return
    setRestarting(true)
    try {
      await clinician.startOver()
      location.reload()
    } catch (error) {
      setRestarting(false)
      setStuck({ why: 'failed', message: (error as Error).message })
    }
  }
  const said = talk?.items.findLast(item => item.sender !== talk.me && !item.automatic)?.id
  const news: Record<Side, boolean> = {
    clinician: said !== undefined && said !== seen,
    patient: done.has('write') && !done.has('answer'),
  }
  const panel = (name: Side) =>
    wide
      ? {}
      : { id: `${name}-panel`, role: 'tabpanel' as const, 'aria-labelledby': `${name}-tab`, hidden: side !== name }
  return (
    <div class="try">
      <header class="try-top">
        <div class="try-title">
          <div>
            <h1>Try Wardroom: both sides in one window</h1>
            <p class="hint">You play the clinician and the patient. Nothing leaves this machine.</p>
          </div>
          <button type="button" class="small" disabled={!clinician || restarting} onClick={() => void startOver()}>
            {restarting ? (
              'Closing this patient…'
            ) : (
              <span>
                Start over<span class="if-wide"> with another patient</span>
              </span>
            )}
          </button>
        </div>
        <Guide person={person} done={done} ready={clinician !== null && stuck === null} />
        <p class="unseen" role="status">
          {clinician ? spoken(person, done) : ''}
        </p>
      </header>
      <main class="try-main">
        {wide ? null : <Tabs side={side} news={news} onSide={setSide} />}
        <div class="try-sides">
          <section class="side" aria-labelledby="clinician-title" {...panel('clinician')}>
            <h2 id="clinician-title">
              You are {clinician?.name ?? 'Dr. Lee'} <span>at a Matrix client</span>
            </h2>
            <div class="pane">
              {stuck ? (
                <StuckCard stuck={stuck} />
              ) : clinician && talk ? (
                <Pane clinician={clinician} talk={talk} seen={onSeen} />
              ) : (
                <SettingUp steps={setup} />
              )}
            </div>
            <Notes talk={talk} allDone={done.has('see')} clinician={clinician} />
          </section>
          <section class="side side-phone" aria-labelledby="patient-title" {...panel('patient')}>
            <h2 id="patient-title">
              You are {person.name} <span>with a telephone</span>
            </h2>
            <div class="telephone">
              <iframe
                key={person.phone}
                title={`The telephone of ${person.name}`}
                src={`/handset/${encodeURIComponent(person.phone)}`}
                allow="microphone; camera"
              />
            </div>
          </section>
        </div>
      </main>
    </div>
  )
}

type NotesProps = { talk: Talk | null; allDone: boolean; clinician: Clinician | null }

const Notes = ({ talk, allDone, clinician }: NotesProps): JSX.Element | null => {
  if (!talk || !clinician) return null
  if (notReached(talk.items, talk.me))
    return (
      <p class="try-note bad" role="alert">
        The text did not reach the telephone; @wardroom tells the clinician why and what to do. After STOP, answer START
        on the telephone and write again.
      </p>
    )
  if (!allDone) return null
  return (
    <details class="try-note">
      <summary>That was the whole way, encrypted from this browser to the telephone’s. Go on in Element?</summary>
      <p>
        Sign in at <code>{clinician.homeserverUrl}</code> as <code>{clinician.me}</code> with the password of the table
        that <code>npm start</code> printed. When Element asks for the recovery key, it is:
      </p>
      <p>
        <code>{clinician.recoveryKey}</code>
      </p>
    </details>
  )
}
