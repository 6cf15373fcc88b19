//! The filter bar: what is typed, what it means, and what the lists show.

use super::*;

/// The filter bar's row.
fn bar(app: &App, size: (u16, u16)) -> String {
    picture(app, size).lines().nth(1).unwrap_or_default().trim().to_owned()
}

fn title(app: &App) -> String {
    picture(app, WIDE).lines().nth(2).unwrap_or_default().trim_matches(['┏', '━', '┓', ' ', '┌', '─']).to_owned()
}

/// Numbers of the messages in the list.
fn numbers(app: &App) -> Vec<u64> {
    let picture = picture(app, WIDE);
    let rows = picture.lines().skip(4).filter_map(|line| line.strip_prefix('┃'));
    rows.map_while(|row| row.trim_start_matches('▶').split_whitespace().next()?.parse().ok()).collect()
}

#[test]
fn what_passes_is_shown() {
    let mut app = browser(&story::everything(), WIDE);
    assert_eq!(
        bar(&app, WIDE),
        "Filter: ⟨ none ⟩                                                                 f edit · a filter by what is selected"
    );
    press(&mut app, "ftype == pi");
    shot("filter_typed", &picture(&app, WIDE));
    press(&mut app, "<Tab>");
    assert!(bar(&app, WIDE).starts_with("Filter: type == ping"), "{}", bar(&app, WIDE));
    press(&mut app, "<Enter>");
    shot("filter_applied", &picture(&app, WIDE));
    assert!(title(&app).starts_with("Connections 1 of 5 shown"), "{}", title(&app));
    press(&mut app, "2");
    let pings = numbers(&app);
    assert!(!pings.is_empty());
    press(&mut app, "X");
    assert!(bar(&app, WIDE).ends_with("off · X switches it on"), "{}", bar(&app, WIDE));
    let all = numbers(&app);
    assert!(all.len() > pings.len() && pings.iter().all(|number| all.contains(number)));
    press(&mut app, "X");
    assert_eq!(numbers(&app), pings);
    // Nothing typed is no filter.
    press(&mut app, "f<C-u><Enter>");
    assert!(bar(&app, WIDE).starts_with("Filter: ⟨ none ⟩"));
    assert_eq!(numbers(&app), all);
}

#[test]
fn what_is_wrong_is_marked_and_not_applied() {
    for (size, name) in [(WIDE, "filter_wrong"), (NARROW, "filter_wrong_narrow"), (SMALL, "filter_wrong_small")] {
        let mut app = browser(&story::everything(), size);
        press(&mut app, "fwebsocket.opcod == 1 && tcp.stream == 0");
        shot(name, &picture(&app, size));
        press(&mut app, "<Enter>");
        assert!(bar(&app, size).contains('✗'), "it is still typed");
        press(&mut app, "<Esc>");
        assert!(!picture(&app, size).contains("websocket.opcod"));
    }
}

/// Words are looked for in payloads; what cannot be in any row is told.
#[test]
fn a_word_is_a_search() {
    let mut app = browser(&story::everything(), WIDE);
    press(&mut app, "fhello");
    assert!(bar(&app, WIDE).ends_with(r#"Enter: payload contains "hello""#), "{}", bar(&app, WIDE));
    press(&mut app, "<Enter>");
    assert!(bar(&app, WIDE).starts_with(r#"Filter: payload contains "hello""#), "{}", bar(&app, WIDE));
    press(&mut app, "f<C-u>type == text && wspect.text contains \"x\"");
    assert!(bar(&app, WIDE).ends_with("! no row has all of these fields"), "{}", bar(&app, WIDE));
}

#[test]
fn a_filter_that_hides_all_says_so() {
    let mut app = browser(&story::everything(), WIDE);
    press(&mut app, "fconn == 77<Enter>");
    shot("filter_hides_all", &picture(&app, WIDE));
    press(&mut app, "X");
    assert!(title(&app).starts_with("Connections 5 "), "{}", title(&app));
}

#[test]
fn what_is_selected_becomes_a_filter() {
    let mut app = browser(&story::everything(), WIDE);
    press(&mut app, "ja");
    assert!(bar(&app, WIDE).starts_with("Filter: conn == 2 "), "{}", bar(&app, WIDE));
    assert!(title(&app).starts_with("Connections 1 of 5 shown"), "{}", title(&app));
    press(&mut app, "A");
    shot("filter_menu", &picture(&app, WIDE));
    press(&mut app, "3");
    shot("filter_joints", &picture(&app, WIDE));
    press(&mut app, "n");
    assert!(bar(&app, WIDE).starts_with("Filter: !(host == "), "{}", bar(&app, WIDE));
    press(&mut app, "A1o");
    assert!(bar(&app, WIDE).starts_with("Filter: (!(host == "), "{}", bar(&app, WIDE));
}

/// Whoever goes to what the filter hides sees it, and is told why the filter is off.
#[test]
fn a_filter_hides_no_evidence() {
    let mut app = browser(&story::everything(), WIDE);
    press(&mut app, "fconn == 5<Enter>6X");
    assert!(bar(&app, WIDE).contains("off"));
    press(&mut app, "X");
    let rows = |app: &mut App| picture(app, WIDE).lines().skip(2).map(str::to_owned).collect::<Vec<_>>();
    let shown = rows(&mut app);
    press(&mut app, "X");
    assert_ne!(shown, rows(&mut app), "findings are filtered, too");
    press(&mut app, "f<C-u>type == binary<Enter>6<Enter>");
    assert!(picture(&app, WIDE).contains("filter switched off, which hides this: X switches it on"));
}

#[test]
fn filters_of_before_come_back() {
    let past = ["len > 5", "type == close"].map(str::to_owned).to_vec();
    let mut app = browser_with(Options { past_filters: past, ..options() }, &story::everything(), WIDE);
    press(&mut app, "f<C-p>");
    assert!(bar(&app, WIDE).starts_with("Filter: type == close"), "{}", bar(&app, WIDE));
    press(&mut app, "<C-p><C-n><C-n>");
    assert!(bar(&app, WIDE).ends_with("Enter: everything"), "{}", bar(&app, WIDE));
    press(&mut app, "len<C-r><Enter><Enter>");
    assert!(bar(&app, WIDE).starts_with("Filter: len > 5 "), "{}", bar(&app, WIDE));
    assert_eq!(app.take_effects(), [wspect::tui::Effect::Remember("len > 5".to_owned())]);
}

/// A filter that is applied while the capture is read asks what comes, and what was not known is asked again at the end.
#[test]
fn what_comes_is_filtered() {
    let story = story::everything();
    let mut app = App::new(options(), WIDE);
    let mut batches = story.batches().into_iter();
    app.take(Loading::Batch(batches.next().unwrap()), Duration::ZERO);
    app.settle();
    press(&mut app, "fwspect.state == closed<Enter>");
    for batch in batches {
        app.take(Loading::Batch(batch), Duration::ZERO);
        app.settle();
        while app.is_busy() {
            app.work();
            app.settle();
        }
    }
    app.take(Loading::Done(Outcome { progress: progress(&story, 1), ..Outcome::default() }), Duration::ZERO);
    app.settle();
    press(&mut app, "1");
    let late = picture(&app, WIDE);
    let mut app = browser(&story, WIDE);
    press(&mut app, "fwspect.state == closed<Enter>1");
    let rows = |picture: &str| picture.lines().skip(2).take(8).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(rows(&late), rows(&picture(&app, WIDE)));
}

/// A bar that stands open, its filter counted, leaves what is applied its turn, and then the browser rests.
#[test]
fn an_open_bar_stops_nothing() {
    let story = story::everything();
    let mut app = App::new(options(), WIDE);
    let mut batches = story.batches().into_iter();
    app.take(Loading::Batch(batches.next().unwrap()), Duration::ZERO);
    app.settle();
    press(&mut app, "ftype == text<Enter>f");
    for batch in batches {
        app.take(Loading::Batch(batch), Duration::ZERO);
    }
    app.settle();
    work(&mut app);
}

/// The capture is read again, with other keys: a filter on times since its beginning lets the same rows pass.
#[test]
fn what_is_read_again_is_filtered_again() {
    let story = story::everything();
    let mut app = browser(&story, WIDE);
    press(&mut app, "f!(frame.time_relative > 1s)<Enter>");
    let shown = bar(&app, WIDE);
    app.take(Loading::Again, Duration::ZERO);
    press(&mut app, "");
    for batch in story.batches() {
        app.take(Loading::Batch(batch), Duration::ZERO);
        app.settle();
        work(&mut app);
    }
    app.take(Loading::Done(Outcome { progress: progress(&story, 412_000_000), ..Outcome::default() }), Duration::ZERO);
    app.settle();
    work(&mut app);
    assert_eq!(bar(&app, WIDE), shown);
}

/// What is measured is what passes.
#[test]
fn figures_are_of_what_passes() {
    let mut app = browser(&story::everything(), WIDE);
    press(&mut app, "5");
    let all = picture(&app, WIDE);
    press(&mut app, "ftype == text && dir == c2s<Enter>");
    let some = picture(&app, WIDE);
    assert!(!all.lines().skip(2).eq(some.lines().skip(2)), "other figures");
    assert!(some.contains("-Y 'type == text && dir == c2s' --json"), "{some}");
    press(&mut app, "X");
    assert!(picture(&app, WIDE).lines().skip(2).eq(all.lines().skip(2)), "as before");
}
