import type { JSX } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { TryIt } from '../contract.ts'
import { preparePhoto } from '../patient/matrix/photo.ts'
import { Composer } from '../shared/conversation/composer.tsx'
import type { Staged, Talk } from '../shared/conversation/item.ts'
import { MessageList } from '../shared/conversation/message-list.tsx'
import { talkWords } from '../shared/conversation/text/index.ts'
import { talkView } from '../shared/conversation/view-model.ts'
import { type Clinician, type Ready, signIn } from './clinician.ts'
import { type StepName, stepNames, stepsDone } from './steps.ts'
import '../shared/conversation/conversation.css'
import './tryit.css'

const words = { ...talkWords('en'), someone: 'Wardroom', automatic: 'Wardroom' }

/** Both sides of a care room on one screen: a real Matrix client on the left, the patient's telephone on the right. */
export const TryItPage = (): JSX.Element => {
  const [ready, setReady] = useState<Ready | null>(null)
  const [clinician, setClinician] = useState<Clinician | null>(null)
  const [talk, setTalk] = useState<Talk | null>(null)
  const [problem, setProblem] = useState<string | null>(null)

  useEffect(() => {
    begin(setReady, setTalk).then(setClinician, (error: Error) => setProblem(error.message))
  }, [])

  const done = talk ? stepsDone(talk.items, talk.me) : new Set<StepName>()
  return (
    <div class="try">
      <header class="try-top">
        <h1>Try Wardroom: both sides on one screen</h1>
        <Steps done={done} ready={ready} />
      </header>
      <main class="try-sides">
        <section class="side" aria-labelledby="clinician-title">
          <h2 id="clinician-title">
            You are Dr. Lee <span>in any Matrix client, such as Element</span>
          </h2>
          <div class="pane">
            {problem ? (
              <p class="alert" role="alert">
                The clinician’s client could not start: {problem}. Reload the page to try again.
              </p>
            ) : clinician && talk && ready ? (
              <Pane clinician={clinician} talk={talk} ready={ready} />
            ) : (
              <p class="pane-wait" role="status">
                {ready ? 'Signing in and setting up encryption…' : 'Making the patient’s care room…'}
              </p>
            )}
          </div>
        </section>
        <section class="side" aria-labelledby="patient-title">
          <h2 id="patient-title">
            You are {ready?.patient.name ?? 'the patient'} <span>with nothing but a telephone</span>
          </h2>
          <div class="pane phone">
            {ready ? <iframe title="The patient’s telephone" src={ready.patient.handset} allow="microphone" /> : null}
          </div>
        </section>
      </main>
    </div>
  )
}

const begin = async (setReady: (ready: Ready) => void, setTalk: (talk: Talk) => void): Promise<Clinician> => {
  for (;;) {
    const answer = await fetch('/api/tryit', { method: 'POST' })
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`)
    const given = (await answer.json()) as TryIt
    if (given.state === 'ready') {
      setReady(given)
      return signIn(given, setTalk)
    }
    await new Promise(resolve => setTimeout(resolve, 700))
  }
}

const birthDate = (iso: string): string => iso.replace(/^(\d+)-0?(\d+)-0?(\d+)$/, '$2 / $3 / $1')

const Steps = ({ done, ready }: { done: Set<StepName>; ready: Ready | null }): JSX.Element => {
  const text: Record<StepName, JSX.Element> = {
    write: <>Write a message on the left, as the clinician.</>,
    tap: <>A text arrives on the telephone. It says nothing about health. Tap its link.</>,
    prove: (
      <>
        Prove that you are the patient: born <strong>{ready ? birthDate(ready.patient.dob) : '…'}</strong> (month, day,
        year).
      </>
    ),
    answer: <>Read and answer as the patient. The answer appears on the left.</>,
  }
  const next = stepNames.find(name => !done.has(name))
  return (
    <ol class="try-steps">
      {stepNames.map(name => (
        <li
          key={name}
          class={done.has(name) ? 'done' : name === next ? 'next' : ''}
          aria-current={name === next ? 'step' : undefined}
        >
          <span>
            {text[name]} {done.has(name) ? <span class="unseen">Done.</span> : null}
          </span>
        </li>
      ))}
    </ol>
  )
}

const Pane = ({ clinician, talk, ready }: { clinician: Clinician; talk: Talk; ready: Ready }): JSX.Element => {
  const [text, setText] = useState('')
  const [staged, setStaged] = useState<Staged | null>(null)
  const [notice, setNotice] = useState<string | null>(null)
  const [preparing, setPreparing] = useState(false)
  const seen = useRef(clinician.seen)
  const view = useMemo(() => {
    const ghost = talk.items.find(item => item.sender.startsWith('@p_'))?.sender ?? ''
    // The first card was written before this page signed in; another follows when it joins.
    const items = talk.items.filter(
      item => item.sender.startsWith('@p_') || (item.content.kind !== 'opening' && item.content.kind !== 'unreadable'),
    )
    const team = { [ghost]: { name: ready.patient.name, role: 'Patient, on the web page' } }
    return talkView({ talk: { ...talk, items }, team, lang: 'en', words, now: Date.now() })
  }, [talk])
  const pick = async (file: File, kind: 'photo' | 'file') => {
    setPreparing(true)
    setNotice(null)
    try {
      const picture = kind === 'photo' || file.type.startsWith('image/')
      setStaged(picture ? await preparePhoto(file) : { kind: 'file', name: file.name, blob: file, url: '' })
    } catch {
      setNotice(words.badPhoto)
    }
    setPreparing(false)
  }
  const send = () => {
    if (staged) clinician.sendMedia(staged)
    if (text.trim() !== '') clinician.sendText(text.trim())
    setStaged(null)
    setText('')
  }
  return (
    <>
      {clinician.signed ? null : (
        <p class="alert">
          This account was set up in another client. Messages from before cannot be read here; new ones can.
        </p>
      )}
      <MessageList
        view={view}
        lang="en"
        words={words}
        actions={{ loadMedia: clinician.loadMedia, retry: clinician.retry, discard: clinician.discard }}
        loadOlder={clinician.older}
        expect="Marks on a message: 📤 text sent · 📱 on the phone · 👀 link opened · 🔓 identity confirmed"
        seen={seen.current}
      />
      <Composer
        text={text}
        staged={staged}
        preparing={preparing}
        notice={notice}
        quickReplies={
          talk.items.some(item => item.sender === talk.me)
            ? []
            : ['Good morning, how do you feel with the new tablets?']
        }
        lang="en"
        words={words}
        onText={setText}
        onPick={(file, kind) => void pick(file, kind)}
        onVoice={(blob, seconds) =>
          setStaged({ kind: 'voice', name: 'voice.webm', blob, url: URL.createObjectURL(blob), seconds })
        }
        onNoMicrophone={() => setNotice(words.noMicrophone)}
        onUnstage={() => setStaged(null)}
        onSend={send}
      />
    </>
  )
}
