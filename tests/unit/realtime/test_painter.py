from services.realtime.domain.painter import SLICE_FRAMES, Painter

FRAMES = 96_000
LEAD = 24_000


def painter() -> Painter:
    made = Painter(FRAMES, 0.0)
    made.report(0, 0.0, is_playing=True)
    return made


def test_a_loop_that_sounds_as_asked_is_left_alone() -> None:
    assert painter().due_s(0.0) is None


def test_a_change_is_painted_half_a_second_ahead_of_the_playhead() -> None:
    subject = painter()

    subject.repaint(1.0)

    assert subject.due_s(1.0) == 1.0
    assert subject.next_slice(1.0).start_frames == 48_000 + LEAD
    assert subject.next_slice(1.0).frame_count == SLICE_FRAMES
    assert subject.next_slice(1.0).fades_in


def test_the_next_slice_is_due_when_the_playhead_has_come_nearer_and_goes_on_without_a_seam() -> None:
    subject = painter()
    subject.repaint(0.0)
    first = subject.next_slice(0.0)
    subject.painted(first, 0.01)

    second = subject.next_slice(0.01)

    assert subject.due_s(0.01) == 0.01 + (SLICE_FRAMES - 1_200 - 480) / 48_000
    assert second.start_frames == first.start_frames + SLICE_FRAMES - 1_200
    assert not second.fades_in


def test_after_one_pass_nothing_is_due() -> None:
    subject, now_s, painted = painter(), 0.0, 0
    subject.repaint(now_s)

    while (due_s := subject.due_s(now_s)) is not None:
        now_s = due_s
        assert subject.painted(subject.next_slice(now_s), now_s)
        painted += SLICE_FRAMES - 1_200

    assert painted >= FRAMES
    assert subject.missed_deadlines == 0


def test_a_slice_behind_the_playhead_counts_as_missed_and_painting_goes_on_ahead_of_it() -> None:
    subject = painter()
    subject.repaint(0.0)
    late = subject.next_slice(0.0)

    in_time = subject.painted(late, 0.6)

    assert not in_time
    assert subject.missed_deadlines == 1
    assert subject.next_slice(0.6).start_frames == 28_800 + LEAD


def test_a_slice_of_an_older_change_does_not_move_the_work() -> None:
    subject = painter()
    subject.repaint(0.0)
    old = subject.next_slice(0.0)
    subject.repaint(0.1)

    subject.painted(old, 0.11)

    assert subject.next_slice(0.11).start_frames == 4_800 + LEAD


def test_a_jump_of_the_playhead_moves_the_work() -> None:
    subject = painter()
    subject.repaint(0.0)

    subject.report(60_000, 0.0, is_playing=True)

    assert subject.next_slice(0.0).start_frames % FRAMES == (60_000 + LEAD) % FRAMES


def test_the_playhead_goes_round_the_loop_the_shorter_way() -> None:
    subject = painter()

    subject.report(400, 1.999, is_playing=True)

    assert subject.playhead.frames(1.999) == FRAMES + 400


def test_while_paused_only_the_part_ahead_of_the_playhead_is_painted() -> None:
    subject = painter()
    subject.report(-1, 0.0, is_playing=False)
    subject.repaint(0.0)

    subject.painted(subject.next_slice(0.0), 0.0)

    assert subject.due_s(5.0) is None
    assert not subject.is_settled
