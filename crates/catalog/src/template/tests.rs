use super::*;

fn shape(text: &str) -> Result<String, BadTemplate> {
    Template::parse(text).map(|template| template.shape())
}

#[test]
fn texts_that_are_no_templates_are_refused() {
    let cases = [
        ("", BadTemplate::NoSlash),
        ("orders", BadTemplate::NoSlash),
        ("//", BadTemplate::EmptySegment),
        ("/a//b", BadTemplate::EmptySegment),
        ("/a/../b", BadTemplate::DotSegment),
        ("/.", BadTemplate::DotSegment),
        ("/a/%2e%2E", BadTemplate::DotSegment),
        ("/a b", BadTemplate::BadCharacter(' ')),
        ("/a?x=1", BadTemplate::BadCharacter('?')),
        ("/a#b", BadTemplate::BadCharacter('#')),
        ("/a\\b", BadTemplate::BadCharacter('\\')),
        ("/{", BadTemplate::BadBraces("{".to_owned())),
        ("/}", BadTemplate::BadBraces("}".to_owned())),
        ("/{}", BadTemplate::BadBraces("{}".to_owned())),
        ("/a}{b", BadTemplate::BadBraces("a}{b".to_owned())),
        ("/{{a}}", BadTemplate::BadBraces("{{a}}".to_owned())),
        ("/{a}{b}", BadTemplate::Touching("{a}{b}".to_owned())),
        ("/x{a}{b}y", BadTemplate::Touching("x{a}{b}y".to_owned())),
        ("/{id}/lines/{id}", BadTemplate::Twice("id".to_owned())),
        ("/{id}-{id}", BadTemplate::Twice("id".to_owned())),
    ];
    for (text, why) in cases {
        assert_eq!(shape(text), Err(why), "{text}");
    }
    assert_eq!(shape(&"/a".repeat(SEGMENTS_MAX + 1)), Err(BadTemplate::TooLong));
    assert!(shape(&"/a".repeat(SEGMENTS_MAX)).is_ok());
}

#[test]
fn names_and_trailing_slashes_do_not_count_in_a_shape() {
    let cases = [
        ("/", "/"),
        ("/orders/{id}", "/orders/{}"),
        ("/orders/{order_id}/", "/orders/{}"),
        ("/files/{name}.json", "/files/{}.json"),
        ("/{a}:{b}", "/{}:{}"),
    ];
    for (text, expected) in cases {
        assert_eq!(shape(text).unwrap(), expected, "{text}");
    }
}

#[test]
fn a_parameter_within_a_segment_needs_a_value() {
    let fits_template = |template: &str, segment: &str| {
        let texts: Vec<String> = template.split("{}").map(str::to_owned).collect();
        fits(&texts, segment)
    };
    let misses = [
        ("{}.json", ".json"),
        ("{}.json", "a.jso"),
        ("{}.json", "a.json5"),
        ("v{}", "v"),
        ("{}:{}", ":b"),
        ("{}:{}", "a:"),
        ("{}:{}", "ab"),
        ("a{}b{}c", "abbc"),
        ("aba{}ba", "aba"),
        ("é{}é", "éé"),
    ];
    for (template, segment) in misses {
        assert!(!fits_template(template, segment), "{template} {segment}");
    }
    let hits = [
        ("{}.json", "a.json"),
        ("{}.json", "a.json.json"),
        ("{}:{}", "a:b:c"),
        ("{}:{}", "::b"),
        ("a{}b{}c", "axbyc"),
        ("é{}é", "éüé"),
    ];
    for (template, segment) in hits {
        assert!(fits_template(template, segment), "{template} {segment}");
    }
}
