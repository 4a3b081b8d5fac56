"""Functions of Redshift that only compute, with those it keeps of PostgreSQL."""

from __future__ import annotations

REDSHIFT = """
    acosd age approximate_count_distinct approximate_percentile_disc array array_concat
    array_contains array_dims array_distinct array_except array_fill array_flatten
    array_intersection array_length array_lower array_ndims array_position array_positions
    array_remove array_replace array_size array_sort array_to_string array_union array_upper
    asind atan2d atand bit_and bit_count bit_or bit_xor bool_and bool_or bpcharcmp
    bttext_pattern_cmp can_json_parse cardinality century charindex checksum clock_timestamp
    collate convert convert_from convert_timezone cosd crc32 date_bin date_cmp
    date_cmp_timestamp date_cmp_timestamptz date_diff date_part_year dateadd datediff datepart
    daterange dayname decade decode decode_base64 dexp difference digest dlog1 dlog10 every
    farmfingerprint64 fnv_hash from_hex from_varbyte func_sha1 gcd generate_series
    generate_subscripts get_array_length get_bit get_byte get_first_element getbit getdate
    h3_boundary h3_center h3_fromlonglat h3_frompoint h3_isvalid h3_polyfill h3_resolution
    h3_tochildren h3_toparent hashtext hashtextextended height hll hll_cardinality hll_combine
    hll_combine_sketches hll_create_sketch int4range int8range interval_cmp is_array is_bigint
    is_boolean is_char is_decimal is_float is_integer is_object is_scalar is_smallint
    is_valid_json is_valid_json_array is_varchar isempty isfinite isnan json_agg
    json_array_elements json_array_elements_text json_build_object json_each json_each_text
    json_extract_array_element_text json_extract_path json_extract_path_text json_object
    json_object_agg json_object_keys json_parse json_serialize json_serialize_to_varbyte
    json_size json_typeof jsonb_agg jsonb_array_elements jsonb_array_elements_text
    jsonb_array_length jsonb_build_object jsonb_each jsonb_each_text jsonb_extract_path
    jsonb_extract_path_text jsonb_object jsonb_object_agg jsonb_object_keys jsonb_path_query
    jsonb_pretty jsonb_set jsonb_strip_nulls jsonb_typeof justify_days lcm listaggdistinct
    lower_attribute_names lower_inc make_date make_interval make_time make_timestamp
    make_timestamptz murmur3_32_hash next_day nullif_zero num_nonnulls num_nulls numrange
    object object_keys parse_json pg_column_size pg_size_pretty quote_ident quote_literal
    range_agg ratio_to_report regexp_matches regexp_split_to_array regexp_split_to_table
    replicate row row_to_json scale sha sha1 sha2 sha224 sha256 sha384 sha512 similarity sind
    size split_to_array st_addpoint st_angle st_area st_asbinary st_asewkb st_asewkt
    st_asgeojson st_ashexewkb st_ashexwkb st_astext st_azimuth st_boundary st_buffer
    st_centroid st_collect st_contains st_containsproperly st_convexhull st_coveredby
    st_covers st_crosses st_dimension st_disjoint st_distance st_distancesphere st_dwithin
    st_endpoint st_envelope st_equals st_exteriorring st_force2d st_force3d st_geogfromtext
    st_geogfromwkb st_geohash st_geometryn st_geometrytype st_geomfromewkb st_geomfromewkt
    st_geomfromgeohash st_geomfromgeojson st_geomfromtext st_geomfromwkb st_interiorringn
    st_intersection st_intersects st_isclosed st_iscollection st_isempty st_ispolygonccw
    st_ispolygoncw st_isring st_issimple st_isvalid st_length st_length2d st_lengthsphere
    st_linefrommultipoint st_lineinterpolatepoint st_m st_makeenvelope st_makeline
    st_makepoint st_makepolygon st_memsize st_mmax st_mmin st_multi st_ndims st_npoints
    st_nrings st_numgeometries st_numinteriorrings st_numpoints st_perimeter st_perimeter2d
    st_point st_pointn st_points st_polygon st_removepoint st_reverse st_scale st_setpoint
    st_setsrid st_simplify st_srid st_startpoint st_touches st_transform st_translate st_union
    st_within st_x st_xmax st_xmin st_y st_ymax st_ymin st_z st_zmax st_zmin
    statement_timestamp string_to_array strtol subarray sysdate tand text_pattern_cmp
    text_to_int_alt text_to_numeric_alt textlen texttoint_alt texttonumeric_alt timeofday
    timestamp_cmp timestamp_cmp_date timestamp_cmp_timestamptz timestamptz_cmp
    timestamptz_cmp_date timestamptz_cmp_timestamp timezone to_ascii to_geography to_geometry
    to_hex to_json to_jsonb to_varbyte trim_scale try_cast tsrange tstzrange unaccent
    upper_attribute_names upper_inc varbyte xmlagg
"""
