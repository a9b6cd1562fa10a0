use base::OperationId;

use crate::{Contract, Options, Violation};

const FORM: Option<&str> = Some("application/x-www-form-urlencoded; charset=UTF-8");
const DOCUMENT: &str = r##"
openapi: 3.1.0
info: {title: Users, version: "1"}
paths:
  /users:
    post:
      operationId: createUser
      requestBody:
        content:
          multipart/form-data: {schema: {type: object}}
          application/x-www-form-urlencoded:
            schema:
              type: object
              required: [name]
              properties:
                name: {type: string, maxLength: 5}
                age: {type: integer}
                "ids[]": {type: array, items: {type: integer}}
                role: {type: string, readOnly: true}
                tags: {type: array, maxItems: 2, items: {type: integer}}
                address:
                  type: object
                  properties:
                    city: {type: string}
                    verified: {type: boolean, readOnly: true}
      responses: {"204": {description: made}}
"##;

fn contract(closed: bool) -> Contract {
    Contract::compile(DOCUMENT, "users", Options { closed, ..Options::default() }).unwrap()
}

fn check(closed: bool, form: &str) -> Vec<String> {
    let contract = contract(closed);
    let operation = contract.operation(&OperationId::parse("createUser").unwrap()).unwrap();
    assert!(operation.needs_body() && operation.reads_body(FORM) && operation.reads_form(FORM));
    let text = |one: &Violation| format!("{}: {}", one.rule, one.place);
    operation.check_form(FORM, form.as_bytes()).iter().map(text).collect()
}

#[test]
fn what_the_document_does_not_take_is_found_in_a_form() {
    for (form, found) in [
        ("age=7", "missing_property: body"),
        ("name=long+name", "wrong_value: body `/name`"),
        ("name=a&age=seven", "wrong_type: body `/age`"),
        ("name=a&role=admin", "read_only_property: body `/role`"),
        ("name=a&r%6fle=admin", "read_only_property: body `/role`"),
        ("name=a&address[verified]=true", "read_only_property: body `/address/verified`"),
        (
            "name=a&address=%7B%22verified%22:true%7D",
            "read_only_property: body `/address/verified`",
        ),
        ("name=a&tags=1&tags=2&tags=3", "wrong_value: body `/tags`"),
        ("name=a&tags[]=x", "wrong_type: body `/tags/0`"),
        ("name[]=a", "wrong_type: body `/name`"),
        ("name=a&name=b", "repeated_property: body `/name`"),
        ("name=a&address=x&address[city]=y", "repeated_property: body `/address`"),
        ("name=a&x%zz=1", "unreadable_body: body `/x%zz`"),
        ("name=a&address[city=1", "unreadable_body: body `/address[city`"),
        ("name=a&a[][b]=1", "unreadable_body: body `/a[][b]`"),
        ("name=%ff", "unreadable_body: body `/name`"),
        ("name=a&+role=admin", "unreadable_body: body `/ role`"),
        ("name=a&role%00=admin", "unreadable_body: body `/role\u{fffd}`"),
        ("name=a&role]=admin", "unreadable_body: body `/role]`"),
        ("name=a&[role]=admin", "unreadable_body: body `/[role]`"),
        ("name=a&tags[0]=1&tags[1]=x", "wrong_type: body `/tags/1`"),
        ("name=a&tags[0]=1&tags[01]=2", "wrong_type: body `/tags`"),
    ] {
        assert_eq!(check(false, form), [found], "{form}");
    }
    let deep = format!("name=a&a{}=1", "[b]".repeat(8));
    assert!(check(false, &deep)[0].starts_with("unreadable_body"));
    for (form, found) in [
        ("name=a&admin=1", "unknown_property: body `/admin`"),
        ("name=a&address[zip]=1", "unknown_property: body `/address/zip`"),
    ] {
        assert_eq!(check(true, form), [found], "{form}");
        assert_eq!(check(false, form), [""; 0], "{form}");
    }
}

#[test]
fn what_the_document_takes_passes_in_each_spelling() {
    for form in [
        "name=a&age=7&tags=1&tags=2",
        "name=a+b&tags=1&&",
        "name=a&tags[]=1&address[city]=Ulm",
        "name=a&address=%7B%22city%22:%22Ulm%22%7D",
        "name=7",
        "name=a&tags[1]=2&tags[0]=1",
        "name=a&ids[]=7",
    ] {
        assert_eq!(check(true, form), [""; 0], "{form}");
    }
}

#[test]
fn where_anything_will_do_nothing_is_taken_for_a_form() {
    let document = DOCUMENT.replace("application/x-www-form-urlencoded", "\"*/*\"");
    let contract = Contract::compile(&document, "users", Options::default()).unwrap();
    let operation = contract.operation(&OperationId::parse("createUser").unwrap()).unwrap();
    assert!(!operation.reads_body(FORM) && operation.reads_body(Some("application/json")));
}

#[test]
fn bodies_of_other_types_are_told_to_go_unchecked() {
    let contract = contract(true);
    let note = "operation `createUser`: a request's body is not checked as `multipart/form-data`";
    assert_eq!(contract.notes(), [note]);
    let operation = contract.operation(&OperationId::parse("createUser").unwrap()).unwrap();
    assert!(!operation.reads_body(Some("multipart/form-data; boundary=x")));
}
