//! The examples of RFC 7516, appendix A: the one whose algorithms are implemented opens, the others are
//! refused for the right reason.

mod common;

use common::Lab;

/// The key of appendix A.3.3.
const A3_KEY: &str = r#"{"kty":"oct","k":"GawgguFyGrWKav7AX4VKUg"}"#;

/// Appendix A.3.7: A128KW and A128CBC-HS256.
const A3: &str = "eyJhbGciOiJBMTI4S1ciLCJlbmMiOiJBMTI4Q0JDLUhTMjU2In0.6KB707dM9YTIgHtLvtgWQ8mKwboJW3of9locizkDTHzBC2IlrT1oOQ.\
    AxY8DCtDaGlsbGljb3RoZQ.KDlTtXchhZTGufMYmOYGS4HffxPSUrfmqCHXaI9wOGY.U0m_YmjN04DJvceFICbCVQ";

/// Appendix A.1.7: RSA-OAEP (with SHA-1, which is not ours) and A256GCM.
const A1: &str = "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.OKOawDo13gRp2ojaHV7LFpZcgV7T6DVZKTyKOMTYUmKoTCVJRgckCL9kiMT03JGe\
    ipsEdY3mx_etLbbWSrFr05kLzcSr4qKAq7YN7e9jwQRb23nfa6c9d-StnImGyFDbSv04uVuxIp5Zms1gNxKKK2Da14B8S4rzVRltdYwam_lDp5XnZAYpQdb76\
    FdIKLaVmqgfwX7XWRxv2322i-vDxRfqNzo_tETKzpVLzfiwQyeyPGLBIO56YJ7eObdv0je81860ppamavo35UgoRdbYaBcoh9QcfylQr66oc6vFWXRcZ_ZT2L\
    awVCWTIy3brGPi6UklfCpIMfIjf7iGdXKHzg.48V1_ALb6US04U3b.5eym8TW_c8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4vpzs9tX_EFShS8iB7j6jiSdi\
    wkIr3ajwQzaBtQD_A.XFBoMYUZodetZdvTiFvSkQ";

/// Appendix A.2.7: RSA1_5, which nobody should use, and A128CBC-HS256.
const A2: &str = "eyJhbGciOiJSU0ExXzUiLCJlbmMiOiJBMTI4Q0JDLUhTMjU2In0.UGhIOguC7IuEvf_NPVaXsGMoLOmwvc1GyqlIKOK1nN94nHPoltGRhWhw7Z\
    x0-kFm1NJn8LE9XShH59_i8J0PH5ZZyNfGy2xGdULU7sHNF6Gp2vPLgNZ__deLKxGHZ7PcHALUzoOegEI-8E66jX2E4zyJKx-YxzZIItRzC5hlRirb6Y5Cl_p\
    -ko3YvkkysZIFNPccxRU7qve1WYPxqbb2Yw8kZqa2rMWI5ng8OtvzlV7elprCbuPhcCdZ6XDP0_F8rkXds2vE4X-ncOIM8hAYHHi29NX0mcKiRaD0-D-ljQTP\
    -cFPgwCp6X-nZZd9OHBv-B3oWh2TbqmScqXMR4gp_A.AxY8DCtDaGlsbGljb3RoZQ.KDlTtXchhZTGufMYmOYGS4HffxPSUrfmqCHXaI9wOGY.9hH0vgRfYgP\
    nAHOd8stkvw";

#[test]
fn appendix_a3_opens() {
    let lab = Lab::new();
    lab.write("key.jwk", A3_KEY);
    lab.write("a3.jwe", format!("{A3}\n"));
    let run = lab.ok("decrypt --key key.jwk a3.jwe");
    assert_eq!(run.text(), "Live long and prosper.\n");
}

#[test]
fn appendix_a3_opens_without_a_line_feed() {
    let lab = Lab::new();
    lab.write("key.jwk", A3_KEY);
    assert_eq!(
        lab.ok_with("decrypt --key key.jwk", A3.as_bytes()).text(),
        "Live long and prosper.\n"
    );
}

#[test]
fn appendix_a1_and_a2_are_refused_by_the_name_of_their_algorithm() {
    let lab = Lab::new();
    lab.ok("keygen --alg RSA-OAEP-256 --rsa-bits 2048 -o rsa.jwk");
    for (line, name) in [(A1, "RSA-OAEP"), (A2, "RSA1_5")] {
        let named = format!("alg \"{name}\" (RFC 7518 section 4.");
        lab.refused_with(4, "decrypt --key rsa.jwk", line.as_bytes()).says(&[
            "line 1",
            &named,
            "is not supported",
        ]);
    }
}
