//! What a connection has to do with others: requests of its session, and the chain of reconnects.

use super::*;

fn sessions(size: (u16, u16)) -> App {
    browser_of(std::fs::read("tests/data/app_sessions.pcapng").unwrap(), size)
}

#[test]
fn requests_before_a_websocket_stand_with_its_handshake() {
    let mut app = sessions(WIDE);
    press(&mut app, "j3");
    press(&mut app, "<Tab><Tab>G");
    shot("session", &picture(&app, WIDE));
}

#[test]
fn the_chain_of_reconnects_leads_there_and_back() {
    let mut app = sessions(WIDE);
    press(&mut app, "3");
    let at = |app: &App| {
        let picture = picture(app, WIDE);
        let line = picture.lines().find(|line| line.contains(" of 5 ·")).unwrap();
        line.split("conn ").nth(1).unwrap().split(' ').next().unwrap().to_owned()
    };
    assert_eq!(at(&app), "1");
    press(&mut app, "(");
    assert!(picture(&app, WIDE).contains("no connection of this client was before"), "{}", picture(&app, WIDE));
    press(&mut app, ")");
    assert_eq!(at(&app), "2");
    press(&mut app, ")");
    assert!(picture(&app, WIDE).contains("no connection of this client follows"), "{}", picture(&app, WIDE));
    press(&mut app, "(");
    assert_eq!(at(&app), "1");
}
